import { workerData } from 'node:worker_threads'
import { type FactorThreadData, runFactorThread } from '../src/factors/pool/pool-thread.js'

runFactorThread(workerData as FactorThreadData)
