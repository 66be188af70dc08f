import { parentPort, workerData } from 'node:worker_threads'
import type { LogMemory } from '../src/log/memory.js'
import { NodeDisk } from '../src/log/node-disk.js'
import { SegmentPreparer } from '../src/log/preparer.js'

const data = workerData as {
  memory: LogMemory
  directory: string
  segmentBytes: number
  firstSegmentBytes: number
}
const preparer = new SegmentPreparer({ ...data, disk: new NodeDisk() })
preparer.run((message) => parentPort!.postMessage(message))
