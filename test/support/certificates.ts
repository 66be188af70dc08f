import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'

/** Files of a certificate authority and of certificates that it signed, for one test. */
export class CertificateAuthority {
  readonly ca: string
  readonly #dir: string
  readonly #key: string

  constructor(dir: string, name: string) {
    this.#dir = dir
    this.ca = path.join(dir, `${name}.pem`)
    this.#key = path.join(dir, `${name}.key`)
    const subject = ['-subj', `/CN=${name}`, '-days', '2']
    openssl('req', '-x509', ...newKey, '-keyout', this.#key, '-out', this.ca, ...subject)
  }

  /** A certificate for 127.0.0.1, and its key. */
  sign(name: string): { readonly cert: string; readonly key: string } {
    const file = (ending: string) => path.join(this.#dir, `${name}.${ending}`)
    openssl('req', ...newKey, '-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${name}`)
    writeFileSync(file('ext'), 'subjectAltName=IP:127.0.0.1\n')
    const signed = ['-CA', this.ca, '-CAkey', this.#key, '-CAcreateserial', '-days', '2']
    openssl('x509', '-req', '-in', file('csr'), ...signed, '-extfile', file('ext'), '-out', file('pem'))
    return { cert: file('pem'), key: file('key') }
  }
}

/** What a client gives of such files. */
export function pemOf(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, readFileSync(file, 'utf8')]))
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
