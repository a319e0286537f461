import LinuxKernel

/// A place that a verification could not compare with all that is in it, and why.
public struct Uncompared: Equatable, Hashable, Sendable {
    /// Where it is: absolute on its side, with the destination's name before it where it is the destination's.
    public let place: [UInt8]
    public let reason: String

    public init(place: [UInt8], reason: String) {
        self.place = place
        self.reason = reason
    }
}

/// What a verification found.
public struct VerificationResult: Sendable {
    /// Sorted by path.
    public var drifts: [Drift] = []
    public var uncompared: [Uncompared] = []
}

extension Set<Uncompared> {
    /// Sorted, without what lies in another.
    var outermost: [Uncompared] {
        let places = Set<[UInt8]>(map(\.place))
        return filter { place in !BatchPlan.parents(of: place.place).contains(where: places.contains) }
            .sorted { $0.place.lexicographicallyPrecedes($1.place) }
    }
}

extension DestinationLink {
    /// Says which paths of a comparison could not be read.
    ///
    /// - Parameter isCompared: whether a path, relative to the source, is of interest.
    func uncompared(_ outcome: Outcome, isCompared: ([UInt8]) -> Bool) -> [Uncompared] {
        guard outcome.verdict != .done else { return [] }
        let here = settings.source
        let there = targetPath.map { Array($0.utf8) }
        return UnreadablePath.all(in: outcome.errors).compactMap { complaint in
            // On one machine a path may lie below both: the longer one means it.
            let sides = [(here, "the source"), (there ?? [], "the destination")].sorted { $0.0.count > $1.0.count }
            for (top, name) in sides where !top.isEmpty {
                guard let path = RenameMap.rest(of: complaint.path, below: top) else { continue }
                return isCompared(Array(path))
                    ? Uncompared(place: complaint.path, reason: "cannot be read at \(name): \(complaint.reason)") : nil
            }
            return Uncompared(place: complaint.path, reason: "cannot be read: \(complaint.reason)")
        }
    }
}
