import { parentPort, workerData } from 'node:worker_threads'
import { commitLoop } from './bare-committer.mjs'

parentPort.postMessage('ready')
commitLoop(workerData)
