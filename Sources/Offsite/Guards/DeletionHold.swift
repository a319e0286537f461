import LinuxKernel

/// The roots whose deletions are held because they are too many.
struct DeletionHold: Equatable {
    /// Why, by absolute path of the root.
    private(set) var roots: [[UInt8]: String] = [:]
    /// Why everything is held; nil: it is not.
    private(set) var everything: String?

    var isEmpty: Bool { roots.isEmpty && everything == nil }

    mutating func hold(_ root: [UInt8], because reason: String) { roots[root] = reason }
    mutating func holdEverything(because reason: String) { everything = reason }

    /// Why deletions of this root are held; nil: they are not.
    func reason(for root: [UInt8]?) -> String? { everything ?? root.flatMap { roots[$0] } }

    /// Why a path is not deleted; nil: it is. A held root goes with no directory above it, nor by itself.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - root: what the path lies in.
    func reason(of path: [UInt8], in root: [UInt8]?) -> String? {
        if let reason = reason(for: root) { return reason }
        return roots.first { $0.key == path || RenameMap.rest(of: $0.key, below: path) != nil }?.value
    }

    /// For people; nil when nothing is held.
    var text: String? {
        if let everything { return everything }
        let reasons = roots.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
        guard let first = reasons.first else { return nil }
        return reasons.count == 1 ? first : "\(first); and \(reasons.count - 1) more roots"
    }

    // MARK: Kept between runs

    private static let all = Array("*".utf8)

    /// The roots, as they are noted; the reasons are made anew in each run.
    var note: [UInt8] {
        let names = everything == nil ? roots.keys.sorted { $0.lexicographicallyPrecedes($1) } : [Self.all]
        return Array(names.joined(separator: [0]))
    }

    /// - Returns: the roots that a note names; nil for everything.
    static func roots(inNote note: [UInt8]) -> [[UInt8]]? {
        note == all ? nil : note.split(separator: 0).map { Array($0) }
    }
}
