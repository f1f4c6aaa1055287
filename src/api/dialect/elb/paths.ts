/**
 * Where elb's resources live below its mount: OpenStack's path and Huawei Cloud's, with the same bodies
 * (elb-api 1.0 and 4.4).
 */
export function elbPaths(path: string): readonly string[] {
  return [`/v2.0/lbaas${path}`, `/v2/:project_id/elb${path}`]
}
