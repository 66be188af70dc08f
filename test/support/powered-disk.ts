import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { mount, run, whyNoImage } from './small-disk.js'
import { temporaryDirectory } from './temporary.js'

const imageBytesDefault = 256 * 1024 * 1024

/** `FS_IOC_SHUTDOWN` of Linux with the flag that writes nothing more, the journal neither: what was not synced is lost. */
const shutdown =
  'my $flag = pack("L", 2); sysopen(my $f, $ARGV[0], 0200000) or die $!; ioctl($f, 0x8004587d, $flag) or die $!'

/** An ext4 file system whose power can fail. */
export interface PoweredDisk {
  readonly folder: string
  /** The power fails: what was not synced is lost, and every call on the folder fails from now on. */
  cut(): void
  /** The power is back. Nothing may have a file on it open. */
  restore(): void
}

/** Why the power of no disk can fail here, or `undefined`. */
export function whyNoPowerCut(): string | undefined {
  const reason = whyNoImage()
  if (reason) return reason
  try {
    run('perl', '-e', '1')
    return undefined
  } catch {
    return 'there is no perl'
  }
}

/** Makes one of this size; it goes when the test is over. */
export function poweredDisk(imageBytes = imageBytesDefault): PoweredDisk {
  const folder = path.join(temporaryDirectory(), 'disk')
  const image = path.join(temporaryDirectory(), 'image')
  mkdirSync(folder)
  writeFileSync(image, '')
  truncateSync(image, imageBytes)
  run('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,nodiscard', image)
  let release = mount(folder, ['-o', 'loop,nodiscard', image])
  rmSync(path.join(folder, 'lost+found'), { recursive: true })
  return {
    folder,
    cut: () => void execFileSync('perl', ['-e', shutdown, folder]),
    restore: () => {
      release()
      release = mount(folder, ['-o', 'loop,nodiscard', image])
    },
  }
}
