/** Whose objects a request of octavia may reach. */
import { type AccessRule, anyProject, ownerDecides } from '../../http/access.ts'

/** The body may name the project: only then is it known whether it exists, and who may create objects in it. */
const OWNER_IN_BODY = 'os_load-balancer_api:loadbalancer:post'

export const octaviaAccess: AccessRule = (question) =>
  question.rule.name === OWNER_IN_BODY ? ownerDecides(question) : anyProject(question)
