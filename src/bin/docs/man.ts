/** `npm run docs:man`: writes the manual page. */
import { writeFileSync } from 'node:fs'
import { allCommands } from '../commands.ts'
import { manPage } from '../man-page.ts'

writeFileSync('docs/healthmonitor.1', manPage(await allCommands()))
