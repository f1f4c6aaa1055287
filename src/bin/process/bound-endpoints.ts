/** The settings of a process once its ports are bound: a port of 0, or one that was taken, has become another. */
import { type Endpoint, formatEndpoint } from '../../runtime/config/endpoint.ts'

/** The environment with the endpoints that were really bound, by their variables; what is undefined stays as it was set. */
export function withBoundEndpoints(
  environment: NodeJS.ProcessEnv,
  bound: Readonly<Record<string, Endpoint | undefined>>,
): NodeJS.ProcessEnv {
  const settled = { ...environment }
  for (const [variable, endpoint] of Object.entries(bound))
    if (endpoint !== undefined) settled[variable] = formatEndpoint(endpoint)
  return settled
}
