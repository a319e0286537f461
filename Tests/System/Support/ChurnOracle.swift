import LinuxKernel

extension Path {
    /// Whether a complaint is about the path, what is above it, or another of its last name.
    func isMeant(by complaint: String) -> Bool {
        complaint.hasPrefix("\(self)") || ["was ", "last ", "no "].contains { complaint.contains("/\(name) \($0)") }
            || complaint.contains("/\(name): ")
    }
}

/// Holds the history against a churn's own record of what it did.
struct ChurnOracle {
    /// What existed when the last judgement was passed: what the tracker knew then.
    private var known: Set<Path>

    init(known: some Sequence<Path>) { self.known = Set(known) }

    /// Which of the operations' paths lack their row.
    ///
    /// - Parameter latest: each path's last row since the last judgement.
    func missing(_ steps: ArraySlice<Churn.Step>, _ latest: [Path: HistoryRow]) -> [String] {
        var last: [Path: (step: Churn.Step, isPresent: Bool)] = [:]
        for step in steps {
            for path in step.gone { last[path] = (step, false) }
            for path in step.present { last[path] = (step, true) }
        }
        return last.compactMap { path, touch in
            return shortfall(path, touch.step, isPresent: touch.isPresent, latest[path]).map {
                "\(path): \($0) after step \(touch.step.index), \(touch.step.operation)"
            }
        }
    }

    /// The steps that touched the paths which `complaints` begin with, what is above them, or names that they and the
    /// inodes' other names have: for the message of a failure.
    func stepsBehind(_ complaints: some Sequence<String>, _ steps: ArraySlice<Churn.Step>) -> [String] {
        let complaints = Array(complaints)
        func touches(_ step: Churn.Step, _ isMeant: (Path) -> Bool) -> Bool {
            (step.gone + step.present + step.flickered).contains(where: isMeant)
        }
        let direct = steps.filter { step in
            touches(step) { path in complaints.contains { path.isMeant(by: $0) } }
        }
        let related = Set(direct.flatMap(\.present))
        let names = Set(related.map(\.name))
        return steps.filter { step in
            touches(step) { path in names.contains(path.name) || related.contains { $0.isAtOrBelow(path) } }
        }
        .map {
            "step \($0.index) \($0.operation) at \($0.began.nanoseconds): gone \($0.gone), present \($0.present)"
                + ($0.flickered.isEmpty ? "" : ", flickered \($0.flickered)")
        }
    }

    private func shortfall(_ path: Path, _ step: Churn.Step, isPresent: Bool, _ row: HistoryRow?) -> String? {
        guard let row else {
            // Names that appear and vanish before anyone looked leave no trace.
            return isPresent || known.contains(path) ? "no row" : nil
        }
        if isPresent {
            if row.kind == "deleted" { return "last recorded as deleted, but it exists" }
            return row.at < step.began ? "its last row is older" : nil
        }
        if row.kind != "deleted" { return "last recorded as \(row.kind), but it is gone" }
        // One that was recreated and removed again unseen was deleted once, and rightly so.
        return nil
    }

    /// Deletions that were recorded of names that existed all the time up to the record.
    func untrueDeletions(_ steps: ArraySlice<Churn.Step>, _ rows: some Sequence<HistoryRow>) -> [String] {
        var firstAbsent: [Path: Timestamp] = [:]
        for step in steps {
            for path in step.gone + step.flickered where firstAbsent[path] == nil { firstAbsent[path] = step.began }
            // What came into being did not exist before.
            for path in step.present where !known.contains(path) && firstAbsent[path] == nil {
                firstAbsent[path] = Timestamp(nanoseconds: 0)
            }
        }
        return rows.compactMap { row in
            guard row.kind == "deleted" else { return nil }
            guard let absent = firstAbsent[row.path] else { return "\(row.path) was never gone" }
            return row.at < absent ? "\(row.path) was recorded as deleted before it was" : nil
        }
    }

    /// Goes on from what exists now.
    mutating func settle(_ existing: some Sequence<Path>) { known = Set(existing) }
}
