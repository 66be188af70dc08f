import { randomBytes } from 'node:crypto'
import * as path from 'node:path'
import { ioError } from '../errors.js'
import { namingFile } from './attempt.js'
import type { AsyncDisk, Disk } from './disk.js'

const temporaryPattern = /\.[0-9a-f]{16}\.tmp$/

/** Whether a file of this name was never published: a crash left it, or it is being written. */
export function isTemporaryName(name: string): boolean {
  return temporaryPattern.test(name)
}

/**
 * Removes from a folder what a crash left of atomic files. Only the owner of the folder may call it, while it holds the
 * lock and before it writes: then none of them is being written.
 *
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export function removeTemporaries(disk: Disk, folder: string): void {
  const steps = (function* () {
    for (const name of yield* call('read', folder, 'list', folder)) {
      if (!isTemporaryName(name)) continue
      const file = path.join(folder, name)
      yield* call('remove', file, 'remove', file)
    }
  })()
  runNow(disk, steps)
}

/**
 * A file that is found whole under its name or not at all, whatever crashes: it is written under a temporary name that no
 * other file has, synced, renamed, and its folder is synced. For event loops: no call blocks the thread.
 *
 * Of two files with the same name the one that was created later wins, in whichever order they are published. That holds
 * within one thread; between threads and processes the owner of the folder sees to it that one at a time writes.
 *
 * A failed call is final for the file: what a failed sync left on disk is unknown, and a second sync may report success
 * for what was dropped. Every later call fails with the same error; `discard` removes the file.
 */
export class AtomicFile {
  readonly #disk: Disk
  readonly #steps: AtomicSteps

  /**
   * Creates the temporary file, whose name begins with `label`.
   *
   * @throws LogError `TIDEMARK_LOG_IO`, `TIDEMARK_TOO_MANY_FILES`.
   */
  static async create(disk: Disk, folder: string, label: string): Promise<AtomicFile> {
    const file = new AtomicFile(disk, folder, label)
    await run(disk, file.#steps.create())
    return file
  }

  /**
   * Writes a whole file and publishes it; on failure nothing of it is left under a temporary name.
   *
   * @throws LogError `TIDEMARK_LOG_IO`.
   */
  static async write(disk: Disk, target: string, pieces: Iterable<Uint8Array>): Promise<void> {
    const file = await AtomicFile.create(disk, path.dirname(target), path.basename(target))
    try {
      for (const piece of pieces) await file.write(piece)
      await file.publish(path.basename(target))
    } catch (error) {
      await file.discard()
      throw error
    }
  }

  private constructor(disk: Disk, folder: string, label: string) {
    this.#disk = disk
    this.#steps = new AtomicSteps(folder, label)
  }

  /** Writes after what is there, or at `position`. Each call is awaited before the next. @throws LogError `TIDEMARK_LOG_IO`. */
  write(piece: Uint8Array, position?: number): Promise<void> {
    return run(this.#disk, this.#steps.write(piece, position))
  }

  /** Syncs and closes the file ahead of `publish`, which then only names it. @throws LogError `TIDEMARK_LOG_IO`. */
  finish(): Promise<void> {
    return run(this.#disk, this.#steps.finish())
  }

  /**
   * Gives the file its name in its folder; when this resolves, it is on disk. Returns false when a file of that name that
   * was created later is there already: then this one is removed.
   *
   * @throws LogError `TIDEMARK_LOG_IO`. When only the sync of the folder failed, the file is there and may be gone after a
   *   power cut.
   */
  async publish(name: string): Promise<boolean> {
    await this.finish()
    const named = await this.#rename(name)
    // Also when a later file is there: its own sync may not be over.
    await run(this.#disk, this.#steps.syncFolder())
    return named
  }

  /** Removes the file unless it was published. Reports no failure: what led here counts, and the next opening removes it. */
  discard(): Promise<void> {
    return run(this.#disk, this.#steps.discard())
  }

  async #rename(name: string): Promise<boolean> {
    const target = this.#steps.targetOf(name)
    const before = renaming.get(target)
    const mine = (async () => {
      await before?.catch(() => {})
      return run(this.#disk, this.#steps.rename(name))
    })()
    renaming.set(target, mine)
    try {
      return await mine
    } finally {
      if (renaming.get(target) === mine) renaming.delete(target)
    }
  }
}

/** `AtomicFile` for threads that have nothing else to do: the same steps, with calls that block. */
export class AtomicFileSync {
  readonly #disk: Disk
  readonly #steps: AtomicSteps

  /**
   * Publishes files of one folder in this order, with one sync of the folder after all of them. A crash may leave the
   * first ones only.
   */
  static publishAll(files: readonly { file: AtomicFileSync; name: string }[]): void {
    for (const { file } of files) file.finish()
    for (const { file, name } of files) runNow(file.#disk, file.#steps.rename(name))
    const [first] = files
    if (first) runNow(first.file.#disk, first.file.#steps.syncFolder())
  }

  /** @param label Begins the temporary name. @throws LogError `TIDEMARK_LOG_IO`. */
  constructor(disk: Disk, folder: string, label: string) {
    this.#disk = disk
    this.#steps = new AtomicSteps(folder, label)
    runNow(disk, this.#steps.create())
  }

  /** Bytes from the beginning to the end of what was written. */
  get bytes(): number {
    return this.#steps.bytes
  }

  /** Where the file is until it is published: for reading back what was finished. */
  get temporaryPath(): string {
    return this.#steps.temporary
  }

  /** See `AtomicFile.write`. */
  write(piece: Uint8Array, position?: number): void {
    runNow(this.#disk, this.#steps.write(piece, position))
  }

  /** See `AtomicFile.finish`. */
  finish(): void {
    runNow(this.#disk, this.#steps.finish())
  }

  /**
   * Syncs what was written so far. A large file is synced now and then, so that its last sync is short: the syncs of
   * other files wait for it.
   *
   * @throws LogError `TIDEMARK_LOG_IO`.
   */
  sync(): void {
    runNow(this.#disk, this.#steps.sync())
  }

  /** See `AtomicFile.publish`. */
  publish(name: string): boolean {
    if (renaming.has(this.#steps.targetOf(name))) {
      throw new Error(`${this.#steps.targetOf(name)} is being published by the event loop of this thread.`)
    }
    runNow(this.#disk, this.#steps.finish())
    const named = runNow(this.#disk, this.#steps.rename(name))
    runNow(this.#disk, this.#steps.syncFolder())
    return named
  }

  /** See `AtomicFile.discard`. */
  discard(): void {
    runNow(this.#disk, this.#steps.discard())
  }
}

/** Renames of this thread that are under way, by target: those of one target happen one after the other. */
const renaming = new Map<string, Promise<unknown>>()

/** Order in which files were created, those that are still written, and for each target the latest that was published. */
let created = 0
const open = new Set<number>()
const latest = new Map<string, number>()

/** One description of the protocol for both forms. Each step is one call to a disk. */
class AtomicSteps {
  readonly #folder: string
  readonly temporary: string
  readonly #order = ++created
  #file: number | undefined
  #bytes = 0
  #state: 'writing' | 'finished' | 'over' = 'writing'
  #failure: unknown

  constructor(folder: string, label: string) {
    this.#folder = folder
    this.temporary = path.join(folder, `${label}.${randomBytes(8).toString('hex')}.tmp`)
    open.add(this.#order)
  }

  get bytes(): number {
    return this.#bytes
  }

  targetOf(name: string): string {
    return path.resolve(this.#folder, name)
  }

  *create(): Steps<void> {
    try {
      this.#file = yield* call('create', this.temporary, 'create', this.temporary)
    } catch (error) {
      this.#end()
      throw error
    }
  }

  *write(piece: Uint8Array, position = this.#bytes): Steps<void> {
    this.#require('writing')
    yield* this.#final(this.#writeWhole(piece, position))
    this.#bytes = Math.max(this.#bytes, position + piece.byteLength)
  }

  *sync(): Steps<void> {
    this.#require('writing')
    yield* this.#final(call('sync', this.temporary, 'syncData', this.#file!))
  }

  *finish(): Steps<void> {
    if (this.#state === 'finished') return
    yield* this.sync()
    yield* this.#final(this.#close())
    this.#state = 'finished'
  }

  *rename(name: string): Steps<boolean> {
    this.#require('finished')
    const target = this.targetOf(name)
    if ((latest.get(target) ?? 0) > this.#order) {
      yield* this.discard()
      return false
    }
    yield* this.#final(
      call('rename', this.temporary, 'rename', this.temporary, path.join(this.#folder, name)),
    )
    latest.set(target, this.#order)
    this.#end()
    return true
  }

  *syncFolder(): Steps<void> {
    yield* call('sync', this.#folder, 'syncDirectory', this.#folder)
  }

  *discard(): Steps<void> {
    if (this.#state === 'over') return
    this.#end()
    try {
      yield* this.#close()
    } catch {
      // A descriptor whose closing fails is closed all the same.
    }
    try {
      yield* call('remove', this.temporary, 'remove', this.temporary)
    } catch {
      // The next opening of the folder removes it.
    }
  }

  *#writeWhole(piece: Uint8Array, position: number): Steps<void> {
    for (let done = 0; done < piece.byteLength; ) {
      // A short write lost its reason: the call for the rest gives it.
      const rest = piece.subarray(done)
      const taken = yield* call('write to', this.temporary, 'write', this.#file!, [rest], position + done)
      if (taken === 0) throw ioError('write to', this.temporary, new Error('no byte was taken'))
      done += taken
    }
  }

  *#close(): Steps<void> {
    if (this.#file === undefined) return
    const file = this.#file
    this.#file = undefined
    yield* call('close', this.temporary, 'close', file)
  }

  *#final<T>(steps: Steps<T>): Steps<T> {
    try {
      return yield* steps
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  #require(state: 'writing' | 'finished'): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#state !== state) throw new Error(`${this.temporary} is ${this.#state}, not ${state}.`)
  }

  #end(): void {
    this.#state = 'over'
    open.delete(this.#order)
    // What was published before the oldest of those that are still written was created can't meet an older one any more.
    const [oldest = Number.POSITIVE_INFINITY] = open
    for (const [target, order] of latest) if (order < oldest) latest.delete(target)
  }
}

/** One call of a disk, and what an error says of it. */
interface Step {
  readonly action: string
  readonly path: string
  readonly name: keyof AsyncDisk
  readonly args: unknown[]
}

/** Steps are resumed with what each call returned, or with its error. */
// biome-ignore lint/suspicious/noExplicitAny: what a call returns depends on the step; `call` gives it its type.
export type Steps<T> = Generator<Step, T, any>

/** A step of a protocol on a disk, which `run` and `runNow` make. */
export function* call<K extends keyof AsyncDisk>(
  action: string,
  file: string,
  name: K,
  ...args: Parameters<AsyncDisk[K]>
): Steps<Awaited<ReturnType<AsyncDisk[K]>>> {
  return yield { action, path: file, name, args }
}

type AnyCall = (this: unknown, ...args: unknown[]) => unknown

/** Runs steps with calls that do not block the thread. */
export async function run<T>(disk: Disk, steps: Steps<T>): Promise<T> {
  let next = steps.next()
  while (!next.done) {
    const { action, path: file, name, args } = next.value
    let value: unknown
    try {
      value = await (disk.async[name] as AnyCall).apply(disk.async, args)
    } catch (cause) {
      next = steps.throw(namingFile(action, file, cause))
      continue
    }
    next = steps.next(value)
  }
  return next.value
}

/** Runs steps with calls that block. */
export function runNow<T>(disk: Disk, steps: Steps<T>): T {
  let next = steps.next()
  while (!next.done) {
    const { action, path: file, name, args } = next.value
    let value: unknown
    try {
      value = (disk[name] as AnyCall).apply(disk, args)
    } catch (cause) {
      next = steps.throw(namingFile(action, file, cause))
      continue
    }
    next = steps.next(value)
  }
  return next.value
}
