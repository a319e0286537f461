import ChangeStore
import LinuxKernel

/// What a consumer is to be given next.
enum Batch: Equatable {
    /// What changed after one sequence number, up to another.
    /// `isCut`: not everything that there is, because it is more than was wanted at once.
    case changes(after: Int64, through: Int64, isCut: Bool)
    /// Everything in the index, from a place on, because of what history cannot tell.
    case everything(Consumer.FullPass, because: Consumer.Standing.Reason)
    case nothing
}

/// Which paths a consumer wants, and how many at a time.
struct ConsumerWishes {
    var under: PathScope?
    var presence = Selection.Presence.any
    /// At most so many paths in one run.
    var most: Int?

    /// What history rows are handed out. A path that is merely no longer covered by the configuration did not change.
    var selection: Selection {
        var selection = Selection()
        selection.under = under
        selection.presence = presence
        selection.kinds.remove(.untracked)
        return selection
    }
}

/// Decides what a consumer is given next, and hands it out.
struct BatchReader {
    let stateDirectory: [UInt8]
    let reader: StoreReader
    let wishes: ConsumerWishes

    /// - Throws: `StoreError`.
    func next(for consumer: Consumer) throws -> Batch {
        let last = try reader.lastSequence
        switch try consumer.standing(in: reader) {
        case .at(let cursor):
            guard last > cursor else { return .nothing }
            let end = try end(after: cursor, last)
            return .changes(after: cursor, through: end, isCut: end < last)
        case .needsFullReconcile(let reason):
            if let pass = try consumer.fullPass(in: reader) { return .everything(pass, because: reason) }
            return .everything(Consumer.FullPass(through: last), because: reason)
        }
    }

    /// Up to where rows are read, so that they make no more paths than are wanted.
    private func end(after cursor: Int64, _ last: Int64) throws -> Int64 {
        guard let most = wishes.most else { return last }
        var selection = wishes.selection
        // What has become of a path may leave some out: then there are fewer.
        selection.presence = .any
        var filter = RowFilter(selection)
        var table = DigestTable()
        var count = 0
        // A cursor is always a row's own number: one that no row has would look like that of a row which was lost.
        var previous = cursor
        var isCut = false
        try reader.run(HistoryScan(after: cursor, through: last)) { row in
            defer { if !isCut { previous = row.sequence } }
            guard filter.isWanted(row) else { return .next }
            switch table.lookUp(row.digest) {
            case .known: return .next
            case .new: count += 1
            case .elsewhere: count = .max
            }
            isCut = count > most
            return isCut ? .stop : .next
        }
        return isCut ? previous : last
    }

    /// What became of handing out a batch.
    struct Outcome {
        /// Paths that were given.
        var count = 0
        /// Of a full pass: where the next run goes on; nil when everything was given.
        var rest: Consumer.FullPass?
    }

    /// Hands out the paths of a batch, each once, in the order in which they changed last, or of an `IndexWalk`.
    ///
    /// - Parameters:
    ///   - take: gets a path; must not block. False when it is none for this consumer.
    ///   - between: is called now and then, with no transaction open; false ends it.
    func handOut(
        _ batch: Batch, _ take: ([UInt8]) -> Bool, between: () throws -> Bool
    ) throws -> Outcome {
        switch batch {
        case .nothing: return Outcome()
        case .changes(let after, let through, _): return try handOutChanges(after, through, take, between)
        case .everything(let pass, _): return try handOutIndex(pass, take, between)
        }
    }

    private func handOutChanges(
        _ after: Int64, _ through: Int64, _ take: ([UInt8]) -> Bool, _ between: () throws -> Bool
    ) throws -> Outcome {
        var selection = wishes.selection
        (selection.since, selection.until) = (.sequence(after), .sequence(through))
        var outcome = Outcome()
        var isWanted = true
        try SelectedRows(selection, in: reader).handOut(
            { row in
                if !isWanted { return .stop }
                if take(row.record.path) { outcome.count += 1 }
                return outcome.count.isMultiple(of: 1_024) ? .pause : .next
            }, between: { isWanted = try isWanted && between() })
        return outcome
    }

    private func handOutIndex(
        _ pass: Consumer.FullPass, _ take: ([UInt8]) -> Bool, _ between: () throws -> Bool
    ) throws -> Outcome {
        var outcome = Outcome()
        // What is gone is not in the index.
        if wishes.presence == .gone { return outcome }
        var last: [UInt8] = []
        try IndexWalk(stateDirectory: stateDirectory).run(after: pass.path) { path, _ in
            if let under = wishes.under {
                switch under.relation(toDirectory: path) {
                case .inside: break
                case .parent: return .next
                case .outside: return under.isBelow(path) ? .next : .skipContents
                }
            }
            if let most = wishes.most, outcome.count == most {
                outcome.rest = Consumer.FullPass(through: pass.through, path: last)
                return .stop
            }
            if take(path) { outcome.count += 1 }
            last = path
            if try between() { return .next }
            // Whoever takes no more of some is still to be given the others.
            if wishes.most != nil { outcome.rest = Consumer.FullPass(through: pass.through, path: last) }
            return .stop
        }
        return outcome
    }
}
