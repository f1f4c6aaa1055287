/** `npm run docs:config`: writes the list of the configuration into README.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { withConfigTable } from '../../runtime/config/config-reference.ts'

writeFileSync('README.md', withConfigTable(readFileSync('README.md', 'utf8')))
