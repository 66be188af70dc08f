import { parentPort, workerData } from 'node:worker_threads'
import { NodeDisk } from '../src/log/disk/node-disk.js'
import { Ownership } from '../src/log/disk/ownership.js'
import type { PreparerSettings } from '../src/log/flush/log-threads.js'
import { SegmentPreparer } from '../src/log/flush/preallocator.js'
import type { LogMemory } from '../src/log/ring/memory.js'

const data = workerData as PreparerSettings & { memory: LogMemory }
const disk = new NodeDisk()
const ownership = new Ownership(disk, data.directory, data.identity)
const preparer = new SegmentPreparer({ ...data, disk, ownership })
preparer.run((message) => parentPort!.postMessage(message))
