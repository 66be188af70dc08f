import { parentPort, workerData } from 'node:worker_threads'
import { NodeDisk } from '../src/log/disk/node-disk.js'
import { Ownership } from '../src/log/disk/ownership.js'
import type { PreallocatorSettings } from '../src/log/flush/log-threads.js'
import { SegmentPreallocator } from '../src/log/flush/preallocator.js'
import type { LogMemory } from '../src/log/ring/memory.js'

const data = workerData as PreallocatorSettings & { memory: LogMemory }
const disk = new NodeDisk()
const ownership = new Ownership(disk, data.directory, data.identity)
const preallocator = new SegmentPreallocator({ ...data, disk, ownership })
preallocator.run((message) => parentPort!.postMessage(message))
