import LinuxKernel

/// Times that a destination cannot keep: known from its limits, listed apart.
extension CopyVerification {
    /// Takes out what differs in nothing but such a time. Of a file whose time differs nothing else is known until its
    /// content was read.
    func withoutUnrepresentable(_ found: Set<Drift>) throws -> Set<Drift> {
        let suspects = found.filter { $0.kind == .unrepresentable }
        if suspects.isEmpty { return found }
        let paths = Set(suspects.map(\.path))
        let compared = try drifts(of: paths.sorted(by: BatchPlan.precedes), isRecursive: false, withChecksums: true)
        let differing = compared.filter { paths.contains($0.path) && $0.kind != .unrepresentable }
        unrepresentable = paths.subtracting(differing.map(\.path)).union(unrepresentable).sorted(by: BatchPlan.precedes)
        return found.subtracting(suspects).union(differing)
    }
}
