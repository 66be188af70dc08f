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
    find: 'if (crc !== bytes.readInt32LE(offset + frameField.crc))',
    replace: 'if (false)',
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
]
