/** Whose objects a request of octavia may reach. */
import { type AccessRule, anyProject, ownerDecides } from '../../access.ts'

/** Its body may name the owner: only then is known whether there is one, and who may create for him. */
const OWNER_IN_BODY = 'os_load-balancer_api:loadbalancer:post'

export const octaviaAccess: AccessRule = (question) =>
  question.rule.name === OWNER_IN_BODY ? ownerDecides(question) : anyProject(question)
