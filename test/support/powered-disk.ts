import { mkdirSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { makeImage, mountImage, run, whyNoImage } from './small-disk.js'
import { temporaryDirectory } from './temporary.js'

const imageBytesDefault = 256 * 1024 * 1024

/** `FS_IOC_SHUTDOWN` of Linux with the flag that writes nothing more, the journal neither: what was not synced is lost. */
const shutdown =
  'my $flag = pack("L", 2); sysopen(my $f, $ARGV[0], 0) or die $!; ioctl($f, 0x8004587d, $flag) or die $!'

/** An ext4 file system whose power can fail. */
export interface PoweredDisk {
  readonly folder: string
  /** The power fails: what was not synced is lost, and no file on it can be written or made from now on. */
  cut(): void
  /** The power is back. Nothing may have a file on it open. */
  restore(): void
  /** Takes it away, with all that is on it. Otherwise it goes when the test is over. */
  release(): void
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

/** Makes one of this size. */
export function poweredDisk(imageBytes = imageBytesDefault): PoweredDisk {
  const folder = path.join(temporaryDirectory(), 'disk')
  const image = path.join(temporaryDirectory(), 'image')
  mkdirSync(folder)
  makeImage(image, imageBytes)
  let unmount = mountImage(folder, image)
  rmSync(path.join(folder, 'lost+found'), { recursive: true })
  return {
    folder,
    cut: () => run('perl', '-e', shutdown, folder),
    restore: () => {
      unmount()
      unmount = mountImage(folder, image)
    },
    release: () => {
      unmount()
      rmSync(image)
    },
  }
}
