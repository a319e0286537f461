/// New names of files that the destination has in another directory under the same names: a week that was made with
/// `cp -al` or `rsync --link-dest` from the one before.
///
/// They are made there by `--link-dest`. What they are linked to is then a name at the destination, which only this program
/// removes: a rotation of the source cannot take it away in the middle.
public struct LinkClone: Equatable, Sendable {
    /// The directory of the new names, relative to the source.
    public let directory: [UInt8]
    /// The directory at the destination that has them already.
    public let origin: [UInt8]
    /// The new names, with what is listed should the clone fail.
    public var units: [BatchPlan.Unit]

    /// The new names relative to `directory`, sorted.
    var entries: [[UInt8]] {
        units.flatMap(\.paths).map { Array($0[(directory.count + 1)...]) }.sorted(by: BatchPlan.precedes)
    }
}

/// Collects new names by the pair of directories that they have in common with a name that the destination has.
struct LinkClones {
    private struct Pair: Hashable {
        let directory: [UInt8]
        let origin: [UInt8]
    }

    private var found: [Pair: [BatchPlan.Unit]] = [:]
    private var rest: [BatchPlan.Unit] = []

    /// Each clone is a run of rsync of its own, which costs as much as a few hundred names in a list.
    static let fewest = 64
    /// Clones of one batch.
    static let most = 16

    /// - Parameter synced: the names of the inode that the destination has.
    mutating func add(_ unit: BatchPlan.Unit, synced: [[UInt8]]) {
        let pairs = Set(unit.paths.map { Self.pair(of: $0, synced) })
        guard pairs.count == 1, let pair = pairs.first.flatMap({ $0 }) else { return rest.append(unit) }
        found[pair, default: []].append(unit)
    }

    /// - Returns: the clones that are worth it, and the units of all others.
    consuming func finish() -> (clones: [LinkClone], rest: [BatchPlan.Unit]) {
        var clones: [LinkClone] = []
        var rest = rest
        for (pair, units) in found.sorted(by: { $0.value.count > $1.value.count }) {
            if clones.count < Self.most, units.count >= Self.fewest {
                clones.append(LinkClone(directory: pair.directory, origin: pair.origin, units: units))
            } else {
                rest += units
            }
        }
        return (clones, rest)
    }

    /// The two directories above the longest common end of a new name and a synced one; the last of the synced ones where
    /// several have as much in common.
    private static func pair(of path: [UInt8], _ synced: [[UInt8]]) -> Pair? {
        var best: (length: Int, pair: Pair)?
        for other in synced.suffix(mostCompared) {
            let length = commonEnd(path, other)
            guard length > 0, length >= best?.length ?? 0 else { continue }
            let (directory, origin) = (path.dropLast(length), other.dropLast(length))
            // Directly below the source there is no directory to name.
            guard !directory.isEmpty, !origin.isEmpty else { continue }
            best = (length, Pair(directory: Array(directory), origin: Array(origin)))
        }
        return best?.pair
    }

    /// Names of one inode that are compared: the tree of a week is nearest to that of the week before.
    private static let mostCompared = 16

    /// Bytes of the longest common end that begins with a slash.
    private static func commonEnd(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var length = 0
        var whole = 0
        while length < min(left.count, right.count) {
            let byte = left[left.count - 1 - length]
            guard byte == right[right.count - 1 - length] else { break }
            length += 1
            if byte == UInt8(ascii: "/") { whole = length }
        }
        return whole
    }
}
