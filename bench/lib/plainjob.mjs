import { createRequire } from 'node:module'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

/** plainjob and better-sqlite3 as they are installed in a folder. */
export async function loadPlainjob(folder = path.join(import.meta.dirname, '..')) {
  const require = createRequire(path.join(path.resolve(folder), 'package.json'))
  const plainjob = await import(pathToFileURL(require.resolve('plainjob')).href)
  return { plainjob, Database: require('better-sqlite3') }
}

/** A queue in a folder, whose commits are on disk when they return. */
export function openPlainjob(dir, { plainjob, Database }) {
  const database = new Database(path.join(dir, 'jobs.db'))
  const queue = plainjob.defineQueue({ connection: plainjob.better(database), logger: silent })
  // It sets NORMAL, under which a commit is not on disk when it returns.
  database.pragma('synchronous = FULL')
  if (database.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous is not FULL')
  return queue
}
