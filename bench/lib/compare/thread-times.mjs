import { readdirSync, readFileSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import * as path from 'node:path'

const tasks = '/proc/self/task'
/** What the threads of the pool are called here, by the file of their code; Piscina runs the shards. */
const names = { 'flusher.js': 'flusher', 'preallocator.js': 'preallocator', 'worker.js': 'shard' }
const nameOf = new Map([[String(process.pid), 'caller']])

/**
 * Has every worker thread that is started from now on noted under its name. A thread of Node's has no name of its own in
 * /proc, so the constructor looks at which one is new. Call it before the build that is measured is loaded.
 */
export function watchThreads() {
  if (process.platform !== 'linux') return
  const threads = createRequire(import.meta.url)('node:worker_threads')
  const { Worker } = threads
  threads.Worker = class extends Worker {
    constructor(file, options) {
      const before = new Set(readdirSync(tasks))
      super(file, options)
      const name = path.basename(String(file))
      for (const id of readdirSync(tasks)) if (!before.has(id)) nameOf.set(id, names[name] ?? name)
    }
  }
  syncBuiltinESMExports()
}

/**
 * Processor time so far in nanoseconds, of all threads and of each by name; what is not ours is V8's and libuv's. By the
 * scheduler where there is a /proc, otherwise of all threads only.
 */
export function threadTimes() {
  if (process.platform !== 'linux') {
    const { user, system } = process.cpuUsage()
    return { 'all threads': (user + system) * 1000 }
  }
  const times = { 'all threads': 0, shard: 0, caller: 0, flusher: 0, preallocator: 0, 'V8 and libuv': 0 }
  for (const id of readdirSync(tasks)) {
    let spent
    try {
      spent = Number(readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // It has ended meanwhile.
      continue
    }
    const name = nameOf.get(id) ?? 'V8 and libuv'
    times[name] = (times[name] ?? 0) + spent
    times['all threads'] += spent
  }
  return times
}

/** What each took between two looks, for one of so many commands. */
export function timesACommand(before, after, commands) {
  return Object.fromEntries(
    Object.entries(after).map(([name, spent]) => [`${name} ns`, (spent - (before[name] ?? 0)) / commands]),
  )
}
