/**
 * What the suite must notice: each entry switches off one guarantee in the built code. `find` stands exactly once in
 * `file`; `tests` are the files of which at least one test must fail.
 */
export const mutants = [
  {
    name: 'fdatasync is left out',
    file: 'dist/src/log/segment-writer.js',
    find: "attempt('sync', this.#active.path, () => this.#disk.syncData(this.#file));",
    replace: '',
    tests: ['test/faults/power-cut.test.ts'],
  },
  {
    name: 'acknowledged before the sync',
    file: 'dist/src/log/flusher.js',
    find: 'if (!unsafe)\n            this.#segments.sync();\n        this.#written += bytes;\n        this.#count(bytes, performance.now() - startMs);\n        this.#acknowledge(!unsafe);',
    replace:
      'this.#written += bytes;\n        this.#count(bytes, performance.now() - startMs);\n        this.#acknowledge(!unsafe);\n        if (!unsafe)\n            this.#segments.sync();',
    tests: ['test/faults/power-cut.test.ts'],
  },
  {
    name: 'the CRC is not checked',
    file: 'dist/src/log/frame.js',
    find: "return this.#crc(bytes, offset, length, seed) === this.#words[from + 1] ? 'none' : 'bad-crc';",
    replace: "return 'none';",
    tests: ['test/unit/log/frame.test.ts', 'test/unit/log/recovery.test.ts'],
  },
  {
    name: 'the epoch does not seed the CRC',
    file: 'dist/src/log/frame.js',
    find: 'return crc32.buf(bytes);',
    replace: 'return 0;',
    tests: ['test/unit/log/recovery.test.ts'],
  },
  {
    name: 'the folder is not synced',
    file: 'dist/src/log/recovery.js',
    find: "attempt('rename', temporary, () => disk.rename(temporary, target));\n    attempt('sync', directory, () => disk.syncDirectory(directory));",
    replace: "attempt('rename', temporary, () => disk.rename(temporary, target));",
    tests: ['test/faults/power-cut.test.ts'],
  },
  {
    name: 'later frames are not asked whether a bad place was synced',
    file: 'dist/src/log/segment-scan.js',
    find: 'if (decoder.view.synced > badLsn)',
    replace: 'if (false)',
    tests: ['test/unit/log/recovery.test.ts'],
  },
  {
    name: 'a segment is not synced before the next one begins',
    file: 'dist/src/log/segment-writer.js',
    find: 'rotate() {\n        this.sync();',
    replace: 'rotate() {',
    tests: ['test/faults/power-cut.test.ts'],
  },
  {
    name: 'a short write is taken for a whole one',
    file: 'dist/src/log/segment-writer.js',
    find: 'if (written !== bytes) {',
    replace: 'if (false) {',
    tests: ['test/faults/power-cut.test.ts'],
  },
  {
    name: 'a log that failed does not tell those who wait',
    file: 'dist/src/log/durable-log.js',
    find: 'this.#waiters.fail(this.#poisoned);',
    replace: '',
    tests: ['test/faults/threads.test.ts'],
  },
  {
    name: 'a pool that failed does not tell those who wait',
    file: 'dist/src/pool/engine-pool.js',
    find: 'await this.#follower.stop().catch(() => { });\n        for (const shard of this.#shards)\n            shard.fail(error);',
    replace: '',
    tests: ['test/faults/threads.test.ts'],
  },
  {
    name: 'what the log holds is not compared with what replay gives',
    file: 'dist/src/pool/replay.js',
    find: 'if (!same)',
    replace: 'if (false)',
    tests: ['test/integration/replay.test.ts'],
  },
  {
    name: 'a snapshot above the end of the log is taken for good',
    file: 'dist/src/pool/usable-snapshot.js',
    find: 'if (header.endLsn > endLsn) {',
    replace: 'if (false) {',
    tests: ['test/integration/checkpoint.test.ts'],
  },
]
