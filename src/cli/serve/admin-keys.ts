import * as path from 'node:path'
import { makeFolder, NodeDisk } from '../../log/index.js'
import { AdminKeys } from '../../server/index.js'

/** The file of the admin keys of a pool. */
export function adminKeyFileOf(dir: string): string {
  return path.join(dir, 'admin-keys.json')
}

export function createAdminKey(dir: string, name: string, { json }: { readonly json?: boolean }): void {
  makeFolder(new NodeDisk(), path.resolve(dir))
  const key = new AdminKeys(adminKeyFileOf(dir)).create(name)
  process.stdout.write(json ? `${JSON.stringify({ name, key })}\n` : `Admin key  ${key}\n`)
}

export function listAdminKeys(dir: string, { json }: { readonly json?: boolean }): void {
  for (const key of new AdminKeys(adminKeyFileOf(dir)).list())
    process.stdout.write(
      `${json ? JSON.stringify(key) : `${key.name}  since ${new Date(key.createdMs).toISOString()}`}\n`,
    )
}

export function revokeAdminKey(dir: string, name: string, { json }: { readonly json?: boolean }): void {
  new AdminKeys(adminKeyFileOf(dir)).revoke(name)
  process.stdout.write(`${json ? JSON.stringify({ revoked: name }) : `Revoked the admin key of ${name}`}\n`)
}
