import * as fs from 'node:fs'
import * as path from 'node:path'
import { ZeroedFile } from '../../dist/src/cli/bench/disk.js'

const recordBytes = 100
const fileBytes = 64 * 1024 * 1024

/**
 * Something that makes batches of records durable. `write(count)` starts on a batch and resolves when it is on disk;
 * `ahead` says how many batches may be under way: 2 where the next can be queued while one syncs, else 1.
 *
 * @typedef {{ ahead: number, write(count: number): void | Promise<unknown>, close(): void | Promise<void> }} Store
 */

/**
 * The stores by name; each function opens one in an empty folder. `tape` has the pool's commands.
 *
 * @param {{ EnginePool, DurableLog }} build
 */
export function stores(tape, { EnginePool, DurableLog }) {
  const record = new Uint8Array(recordBytes).fill(0x5a)
  return {
    'tidemark pool, matched': (dir) => pool(EnginePool, dir, tape, 2),
    'tidemark pool, one batch at a time': (dir) => pool(EnginePool, dir, tape, 1),
    'tidemark log, 100-byte records': (dir) => log(DurableLog, dir, record),
    'raw write + fdatasync, zeroed file': zeroedFile,
    'append + fdatasync': appendedFile,
    'better-sqlite3, WAL, FULL': (dir) => sqlite(dir, record),
    'lmdb, flushed': (dir) => lmdb(dir, record, 1),
    'lmdb, two batches under way': (dir) => lmdb(dir, record, 2),
    'classic-level, sync': (dir) => level(dir, record),
  }
}

async function pool(EnginePool, dir, tape, ahead) {
  const engines = await EnginePool.open({ dir, instruments: tape.instruments, shards: 1 })
  const batch = engines.batch()
  let at = 0
  return {
    ahead,
    get left() {
      return tape.length - at
    },
    write(count) {
      tape.play(batch, at, at + count)
      at += count
      const durable = engines.submitBatch(batch)
      batch.clear()
      return durable
    },
    close: () => engines.close(),
  }
}

async function log(DurableLog, dir, record) {
  const durable = await DurableLog.open({ dir })
  const batches = new Map()
  return {
    ahead: 2,
    write(count) {
      let batch = batches.get(count)
      if (!batch) batches.set(count, (batch = new Array(count).fill(record)))
      return durable.waitDurable(durable.appendBatch(batch))
    },
    close: () => durable.close(),
  }
}

function zeroedFile(dir) {
  const file = new ZeroedFile(path.join(dir, 'zeroed'), fileBytes)
  const batches = new Buffers()
  return { ahead: 1, write: (count) => file.writeDurably(batches.of(count)), close: () => file.close() }
}

function appendedFile(dir) {
  const file = fs.openSync(path.join(dir, 'appended'), 'a')
  const batches = new Buffers()
  return {
    ahead: 1,
    write(count) {
      fs.writeSync(file, batches.of(count))
      fs.fdatasyncSync(file)
    },
    close: () => fs.closeSync(file),
  }
}

async function sqlite(dir, record) {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(path.join(dir, 'database'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec('CREATE TABLE records (id INTEGER PRIMARY KEY, record BLOB NOT NULL)')
  const insert = database.prepare('INSERT INTO records (record) VALUES (?)')
  const buffer = Buffer.from(record)
  const write = database.transaction((count) => {
    for (let i = 0; i < count; i++) insert.run(buffer)
  })
  return { ahead: 1, write, close: () => database.close() }
}

/** With two batches under way, it commits both in one transaction: then a sync is for twice as many records. */
async function lmdb(dir, record, ahead) {
  const { open } = await import('lmdb')
  const database = open({
    path: path.join(dir, 'database'),
    keyEncoding: 'uint32',
    encoding: 'binary',
    noSubdir: true,
  })
  const buffer = Buffer.from(record)
  let key = 0
  return {
    ahead,
    async write(count) {
      let last
      for (let i = 0; i < count; i++) last = database.put(key++, buffer)
      await last
      await database.flushed
    },
    close: () => database.close(),
  }
}

async function level(dir, record) {
  const { ClassicLevel } = await import('classic-level')
  const database = new ClassicLevel(path.join(dir, 'database'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await database.open()
  const value = Buffer.from(record)
  let serial = 0
  return {
    ahead: 2,
    write(count) {
      const batch = database.batch()
      for (let i = 0; i < count; i++) {
        const key = Buffer.alloc(8)
        key.writeUInt32BE(serial++, 4)
        batch.put(key, value)
      }
      return batch.write({ sync: true })
    },
    close: () => database.close(),
  }
}

/** One buffer for each size of a batch. */
class Buffers {
  #buffers = new Map()

  of(count) {
    let buffer = this.#buffers.get(count)
    if (!buffer) this.#buffers.set(count, (buffer = new Uint8Array(count * recordBytes).fill(0x5a)))
    return buffer
  }
}
