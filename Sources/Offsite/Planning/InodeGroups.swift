import ChangeStore
import LinuxKernel
import SystemPackage

/// What in a batch has several names, by inode: files, and what else `cp -al` and `rsync --link-dest` link.
struct InodeGroups {
    struct ID: Hashable {
        let device: UInt64
        let inode: UInt64
        init(_ status: FileStatus) { (device, inode) = (status.device, status.inode) }
    }

    struct Group {
        /// Relative to the source, with what the batch tells of them; those that it tells nothing of come last.
        var names: [(path: [UInt8], facts: PathFacts?)]
        let isFile: Bool
        /// Bytes.
        let size: Int64
        let linkCount: UInt32
    }

    /// In the order in which they came up.
    private(set) var groups: [Group] = []
    private var ids: [ID] = []
    private var places: [ID: Int] = [:]

    var isEmpty: Bool { groups.isEmpty }

    /// Adds a name that the batch tells of.
    mutating func add(_ path: [UInt8], _ facts: PathFacts, _ status: FileStatus) {
        let id = ID(status)
        if let place = places[id] { return groups[place].names.append((path, facts)) }
        places[id] = groups.count
        ids.append(id)
        groups.append(
            Group(
                names: [(path, facts)], isFile: status.type == .file, size: status.size, linkCount: status.linkCount))
    }

    /// Leaves out what other batches have sent with all its names, and notes what this one will.
    mutating func leaveOut(_ taken: TakenInodes) {
        var rest = InodeGroups()
        for (id, group) in zip(ids, groups) where !taken.contains(id) {
            rest.places[id] = rest.groups.count
            rest.ids.append(id)
            rest.groups.append(group)
            taken.note(id, group)
        }
        self = rest
    }

    /// Inodes that are asked for in one transaction.
    private static let mostAsked = 1_000
    /// Names that are compared one by one.
    private static let mostCompared = 16

    /// Adds the other names that the index has, as far as they still are names of the same inode. Where they are as many as
    /// its link count says, they are: nobody looks. (Should they not be, because of what happens just now, rsync finds two
    /// inodes: a name is sent instead of linked, and the rows that tell of it come next.)
    ///
    /// - Parameter facts: by absolute path.
    mutating func complete(
        from index: InodeNames, _ facts: [[UInt8]: PathFacts], _ scope: SourceScope, _ roots: RootCheck,
        _ look: inout SourceLook, _ pulse: Pulse
    ) throws {
        var candidates: [(path: [UInt8], place: Int)] = []
        var missing: [Int] = groups.map { Int($0.linkCount) - $0.names.count }
        for start in stride(from: 0, to: groups.count, by: Self.mostAsked) {
            let places = start..<min(start + Self.mostAsked, groups.count)
            try pulse()
            for (place, paths) in zip(places, try index.paths(inodes: ids[places].map(\.inode))) {
                let names = groups[place].names
                let known = names.count > Self.mostCompared ? Set(names.map(\.path)) : nil
                for path in paths where !roots.isAway(path) {
                    try pulse()
                    guard let relative = scope.relative(path, isDirectory: false),
                        !(known?.contains(relative) ?? names.contains { $0.path == relative })
                    else { continue }
                    candidates.append((relative, place))
                    missing[place] -= 1
                }
            }
        }
        // A directory's names one after the other: each is opened once.
        candidates.sort { BatchPlan.precedes($0.path, $1.path) }
        for (path, place) in candidates {
            try pulse()
            if !index.hasOneFileSystem || missing[place] != 0 {
                guard case .present(let status) = look.state(of: path), ID(status) == ids[place] else { continue }
            }
            // It may have become a name of this inode since the batch's names were looked at.
            groups[place].names.append((path, facts[scope.absolute(path)]))
        }
    }
}

extension BatchSurvey {
    /// Adds what has several names, with all of these.
    ///
    /// - Parameter end: the row up to which `facts` tell; nil in a full pass.
    func add(
        _ found: InodeGroups, _ facts: [[UInt8]: PathFacts], through end: Int64?, _ look: inout SourceLook,
        _ planner: inout BatchPlanner
    ) throws {
        guard !found.isEmpty else { return }
        var found = found
        if end == nil { found.leaveOut(taken) }
        try found.complete(from: InodeNames(stateDirectory: stateDirectory), facts, scope, roots, &look, pulse)
        let later = try end.flatMap { try self.later.paths(after: $0) }
        let kept = later == nil ? [:] : try consumer.work(about: others(found))
        for group in found.groups {
            try pulse()
            let sorted = group.names.sorted { BatchPlan.precedes($0.path, $1.path) }
            // In a full pass the first name takes the others along.
            if end == nil, let first = sorted.first, first.facts == nil { continue }
            let names = sorted.map { path, pending in
                var isSynced = false
                if pending == nil, let later {
                    let absolute = scope.absolute(path)
                    isSynced = kept[absolute] == nil && !later(absolute)
                }
                return BatchPlanner.Name(path: path, facts: pending, isSynced: isSynced)
            }
            planner.add(inode: names, isFile: group.isFile, size: group.size)
        }
    }

    /// The inodes of some names, each with every name that the index has for it now.
    ///
    /// - Parameter names: relative to the source; those that are not there any more, or are the only name of their inode,
    ///   are left out.
    func units(ofInodesNamed names: [[UInt8]]) throws -> [BatchPlan.Unit] {
        var look: SourceLook
        do throws(Errno) { look = try SourceLook(source: scope.source) } catch {
            throw SyncFailure.sourceAway(scope.source, error)
        }
        var found = InodeGroups()
        let facts = PathFacts(
            existedBefore: true, contentChanged: false, exists: true, wasWritten: false, first: .now,
            lastWritten: Timestamp(nanoseconds: 0))
        for name in Set(names).sorted(by: BatchPlan.precedes) {
            guard case .present(let status) = look.state(of: name), !status.isDirectory, status.linkCount > 1 else {
                continue
            }
            found.add(name, facts, status)
        }
        try found.complete(from: InodeNames(stateDirectory: stateDirectory), [:], scope, roots, &look, pulse)
        return found.groups.map { group in
            BatchPlan.Unit(group.names.map(\.path).sorted(by: BatchPlan.precedes), bytes: group.size)
        }
    }

    /// The absolute paths of the names that the batch does not tell of.
    private func others(_ found: InodeGroups) -> some Sequence<[UInt8]> {
        found.groups.lazy.flatMap(\.names).filter { $0.facts == nil }.map { scope.absolute($0.path) }
    }
}
