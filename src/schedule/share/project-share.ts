/**
 * What each project uses of a prober: its probes in flight, its checks that are ready to start, its planned first
 * probes.
 */
import { List, type ListNode } from '../linked-list.ts'
import { NewStarts } from './new-starts.ts'
import type { Sharer } from './turns.ts'

export class ProjectShare<Node extends ListNode> implements Sharer<Node> {
  previous: ListNode = this
  next: ListNode = this
  readonly id: string
  /** Probes in flight. */
  held = 0
  /** Of these, on sockets of their own (dedicated-room.ts). */
  dedicated = 0
  /** Checks that have a slot of their address and wait for the turn of their project. */
  readonly queue = new List<Node>()
  readonly newStarts = new NewStarts()
  /** Its checks here; the object is dropped when there are none and nothing is in flight. */
  holders = 0

  constructor(id: string) {
    this.id = id
  }
}

/** The shares of all projects that have a check here. */
export class ProjectTable<Node extends ListNode> {
  readonly #projects = new Map<string, ProjectShare<Node>>()

  get size(): number {
    return this.#projects.size
  }

  hold(id: string): ProjectShare<Node> {
    let project = this.#projects.get(id)
    if (project === undefined) this.#projects.set(id, (project = new ProjectShare(id)))
    project.holders++
    return project
  }

  release(project: ProjectShare<Node>): void {
    project.holders--
    this.#forget(project)
  }

  /** One of its probes has ended. */
  giveBack(project: ProjectShare<Node>): void {
    project.held--
    this.#forget(project)
  }

  #forget(project: ProjectShare<Node>): void {
    if (project.holders === 0 && project.held === 0) this.#projects.delete(project.id)
  }
}
