import { parentPort, workerData } from 'node:worker_threads'
import type { PreparerSettings } from '../src/log/log-threads.js'
import type { LogMemory } from '../src/log/memory.js'
import { NodeDisk } from '../src/log/node-disk.js'
import { Ownership } from '../src/log/ownership.js'
import { SegmentPreparer } from '../src/log/preparer.js'

const data = workerData as PreparerSettings & { memory: LogMemory }
const disk = new NodeDisk()
const ownership = new Ownership(disk, data.directory, data.identity)
const preparer = new SegmentPreparer({ ...data, disk, ownership })
preparer.run((message) => parentPort!.postMessage(message))
