/** How the page is built: files with a hash in their names, which dist/src/api/service/ui.js serves. */
import { fileURLToPath } from 'node:url'

const folder = (path) => fileURLToPath(new URL(path, import.meta.url))

export default {
  root: folder('.'),
  // Relative, so that the page works below the prefix of a reverse proxy.
  base: './',
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: folder('../../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inline: the policy of the page allows neither inline scripts nor data URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: [folder('index.html'), folder('public.html')] },
  },
}
