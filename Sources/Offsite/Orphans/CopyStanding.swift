import ChangeStore
import LinuxKernel
import SystemPackage

/// Tells of a path at a destination whether it is copied.
struct CopyStanding: ~Copyable {
    enum Answer: Equatable {
        /// The index has it, or a root is below it.
        case copied
        /// The source does not have it any more.
        case gone
        /// It is excluded, or belongs to no root.
        case orphan
        /// The source does not have it any more, and it belongs to no root.
        case stranger
        /// Its root is away, or the source cannot be looked at.
        case unknown
    }

    private let scope: SourceScope
    private let roots: RootCheck
    private var look: SourceLook
    private let names: InodeNames

    /// Names of one file beyond which it is not asked which the index has.
    private static let mostNames = 64

    init(_ scope: SourceScope, _ reader: StoreReader, stateDirectory: [UInt8]) throws {
        let roots = RootCheck(try reader.rootIdentities)
        let names = try InodeNames(stateDirectory: stateDirectory)
        let look: SourceLook
        do throws(Errno) { look = try SourceLook(source: scope.source) } catch {
            throw SyncFailure.sourceAway(scope.source, error)
        }
        self.scope = scope
        self.roots = roots
        self.look = look
        self.names = names
    }

    /// - Parameter path: relative to the source, and none of the reserved names.
    mutating func answer(_ path: [UInt8], isDirectory: Bool?) throws -> Answer {
        let absolute = scope.absolute(path)
        if scope.relative(absolute, isDirectory: isDirectory) == nil { return .orphan }
        let state = look.state(of: path)
        let isThere: Bool
        switch state {
        case .missing, .blocked: isThere = false
        case .present: isThere = true
        case .unknown: return .unknown
        }
        func isIn(_ root: [UInt8]) -> Bool { RenameMap.rest(of: absolute, below: root) != nil || absolute == root }
        func isAbove(_ root: [UInt8]) -> Bool { RenameMap.rest(of: root, below: absolute) != nil }
        if roots.present.contains(where: isAbove) || roots.away.contains(where: isAbove) {
            return isThere ? .copied : .unknown
        }
        if roots.isAway(absolute) { return .unknown }
        guard roots.present.contains(where: isIn) else { return isThere ? .orphan : .stranger }
        guard case .present(let status) = state else { return .gone }
        // What the tracker excludes is at the source, and not in the index.
        guard status.linkCount <= Self.mostNames || status.isDirectory else { return .copied }
        return try names.paths(inode: status.inode).contains(absolute) ? .copied : .orphan
    }
}
