/// Inodes with many names that a full pass has sent: all names go with the first, and come up in the batches of their own
/// directories again. Each of these would find all of them anew.
final class TakenInodes {
    private var known: Set<InodeGroups.ID> = []

    /// Names that are worth the memory: with fewer, finding them anew costs each of them no more than so many looks.
    private static let fewestNames: UInt32 = 64

    func contains(_ id: InodeGroups.ID) -> Bool { known.contains(id) }

    func note(_ id: InodeGroups.ID, _ group: InodeGroups.Group) {
        if group.linkCount >= Self.fewestNames { known.insert(id) }
    }
}
