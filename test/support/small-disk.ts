import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './temporary.js'

/** A file system of its own that is nearly full. */
export interface SmallDisk {
  readonly folder: string
  /** Makes room, after the pool on it was closed. What the page cache held and could not write is forgotten where possible. */
  makeRoom(): void
  release(): void
}

export function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Takes a mount away in every outcome, even when a file on it is still open. */
function unmount(folder: string): void {
  try {
    run('umount', folder)
  } catch {
    run('umount', '-l', folder)
  }
}

/** Why no tmpfs can be mounted here, or `undefined`. */
export function whyNoTmpfs(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'mounting takes Linux and root'
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
  try {
    run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder)
    unmount(folder)
    return undefined
  } catch (error) {
    return `mounting is refused: ${(error as Error).message.split('\n')[0]}`
  } finally {
    rmdirSync(folder)
  }
}

/** Why no image of a file system can be mounted here, or `undefined`. */
export function whyNoImage(): string | undefined {
  const reason = whyNoTmpfs()
  if (reason) return reason
  try {
    run('mkfs.ext4', '-V')
    run('losetup', '-f')
    return undefined
  } catch (error) {
    return `there is no ext4 or no loop device: ${(error as Error).message.split('\n')[0]}`
  }
}

/** A tmpfs with room for about `bytes`: every write that does not fit fails with ENOSPC at once. */
export function smallTmpfs(bytes: number): SmallDisk {
  const folder = temporaryDirectory()
  const mounted = mount(folder, ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs'])
  return {
    folder,
    makeRoom: () => run('mount', '-o', `remount,size=${bytes * 2 + 64 * 1024 * 1024}`, folder),
    release: mounted,
  }
}

/**
 * An ext4 file system whose image lies on a tmpfs that is smaller: writes go into the page cache and succeed, and the
 * sync finds that there is no room for them below.
 */
export function smallImage(bytes: number): SmallDisk {
  const below = temporaryDirectory()
  const imageBytes = 64 * 1024 * 1024
  const releaseBelow = mount(below, ['-t', 'tmpfs', '-o', `size=${imageBytes}`, 'tmpfs'])
  const image = path.join(below, 'image')
  const folder = path.join(temporaryDirectory(), 'disk')
  mkdirSync(folder)
  let release: () => void
  try {
    makeImage(image, imageBytes)
    // What the empty file system takes is there; room for `bytes` of data comes on top.
    const used = Number(execFileSync('du', ['-k', image], { encoding: 'utf8' }).split('\t')[0]) * 1024
    run('mount', '-o', `remount,size=${used + bytes}`, below)
    release = mountImage(folder, image)
  } catch (error) {
    releaseBelow()
    throw error
  }
  return {
    folder,
    makeRoom: () => {
      release()
      run('mount', '-o', `remount,size=${imageBytes * 2}`, below)
      release = mountImage(folder, image)
    },
    release: () => {
      release()
      releaseBelow()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes an empty ext4 file system of this size in a file, which takes no more of the disk than is used of it. */
export function makeImage(image: string, bytes: number): void {
  writeFileSync(image, '')
  truncateSync(image, bytes)
  run('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,nodiscard', image)
}

/** Mounts a file system that stands in a file, as `mount` does. */
export function mountImage(folder: string, image: string): () => void {
  return mount(folder, ['-o', 'loop,nodiscard', image])
}

/** Mounts now and unmounts when asked, or when the test is over. */
function mount(folder: string, args: string[]): () => void {
  run('mount', ...args, folder)
  let mounted = true
  const release = () => {
    if (mounted) unmount(folder)
    mounted = false
  }
  onTestFinished(release)
  return release
}
