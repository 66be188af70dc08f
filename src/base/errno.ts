import { getSystemErrorMap } from 'node:util'

/** Failed system calls as a person would say them; each completes "Could not read FILE: …". */
const sentences: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  EEXIST: 'something else has this name',
  ELOOP: 'its symbolic links go round in a circle',
  ENAMETOOLONG: 'the name is too long for the file system',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'this process has too many open files',
  ENFILE: 'the system has too many open files',
  EIO: 'the disk reported an input/output error',
  EPIPE: 'the reader went away',
}

/** The name of the error that a system call failed with, such as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/**
 * Why something failed, in words without a full stop: of a system call what its error number means, of any other error
 * the first line of its message. All messages of tidemark that give such a reason take it from here.
 */
export function reasonOf(error: unknown): string {
  const { errno } = (error ?? {}) as NodeJS.ErrnoException
  const code = errnoOf(error)
  const known = code === undefined ? undefined : sentences[code]
  if (known !== undefined) return known
  const system = errno === undefined ? undefined : getSystemErrorMap().get(errno)
  if (system !== undefined && system[0] === code) return system[1]
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0]!.replace(/\.$/, '')
}
