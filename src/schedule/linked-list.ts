/**
 * Intrusive circular lists: the links are in the nodes, so that adding and removing cost no allocation and removing needs
 * neither the list nor a search. A node is in at most one list at a time; a node that is in none is linked to itself.
 */
export interface ListNode {
  previous: ListNode
  next: ListNode
}

/** Makes `node` belong to no list. Harmless when it already does. */
export function unlink(node: ListNode): void {
  node.previous.next = node.next
  node.next.previous = node.previous
  node.previous = node
  node.next = node
}

export function isLinked(node: ListNode): boolean {
  return node.next !== node
}

/** First in, first out. `Node` is what callers put in; they must put in nothing else. */
export class List<Node extends ListNode> implements ListNode {
  previous: ListNode = this
  next: ListNode = this

  get isEmpty(): boolean {
    return this.next === this
  }

  /** Whether there is one node, and no other. */
  get isSingle(): boolean {
    return this.next !== this && this.next === this.previous
  }

  /** The first node, which stays; undefined when there is none. */
  get first(): Node | undefined {
    return this.next === this ? undefined : (this.next as Node)
  }

  /** Appends `node`, taking it out of the list that it was in. */
  push(node: Node): void {
    // Most are in none, and every pointer that is written costs the collector's barrier.
    if (node.next !== node) unlink(node)
    node.previous = this.previous
    node.next = this
    this.previous.next = node
    this.previous = node
  }

  /** Takes the first node out; undefined when there is none. */
  shift(): Node | undefined {
    const first = this.next
    if (first === this) return undefined
    unlink(first)
    return first as Node
  }

  /** Moves all nodes of `other` to the end of this list. */
  take(other: List<Node>): void {
    if (other.isEmpty) return
    other.next.previous = this.previous
    this.previous.next = other.next
    other.previous.next = this
    this.previous = other.previous
    other.next = other
    other.previous = other
  }
}
