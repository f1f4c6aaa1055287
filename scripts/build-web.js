/** Builds the page (src/web) into dist/web. Vite is a development dependency: without it a build that is there stays. */
import config from '../src/web/vite.config.js'

const { build } = await import('vite')
await build(config)
