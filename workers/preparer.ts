import { parentPort, workerData } from 'node:worker_threads'
import type { LogMemory } from '../src/log/memory.js'
import { NodeDisk } from '../src/log/node-disk.js'
import { SegmentPreparer } from '../src/log/preparer.js'

const { memory, directory, segmentBytes } = workerData as {
  memory: LogMemory
  directory: string
  segmentBytes: number
}
const preparer = new SegmentPreparer({ disk: new NodeDisk(), directory, segmentBytes, memory })
preparer.run((message) => parentPort!.postMessage(message))
