/**
 * Part of `api.js`: changes the status of members, as many as its parent asks for. A process of its own, as probers are:
 * else making thousands of verdicts would keep the bench from reading answers, and count as their latency.
 */
import { openDatabase } from '../src/store/connection/database.ts'
import { MEMBERS } from './api-rows.ts'
import { Changes, decider } from './decisions.ts'

const db = openDatabase({ url: process.argv[2] ?? '', applicationName: 'bench', maxConnections: 2 })
const changes = new Changes(await decider(db), MEMBERS)
process.on('message', (count: number) => {
  void changes.next(count).then(() => process.send?.('written'))
})
process.once('disconnect', () => void db.destroy())
process.send?.('ready')
