/** Starts the page for strangers. */
import { render } from 'preact'
import '../style/public.css'
import { PublicView } from './public-view.tsx'

const place = document.getElementById('page')
if (place !== null) render(<PublicView />, place)
