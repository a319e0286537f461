import ChangeStore
import LinuxKernel

/// Decides when a root whose deletions are held is whole again: a job that deletes the older dump before it writes the new
/// one, in a run of its own, is no loss once the new one is there.
///
/// What is held is one generation of each series and no more, new ones have come for at least nine tenths of it, and the
/// root has no less, by paths and by bytes, than `max_delete` leaves of the most that it had. Of whatever lost several
/// generations a person decides, however much comes after.
struct HoldRelease {
    let limit: Amount
    /// Nanoseconds.
    let window: Int64

    /// - Parameters:
    ///   - held: held deletions by series; those of none under the empty one.
    ///   - ledger: what earlier runs and this one did in the root.
    ///   - most: the most that there was.
    func isWhole(
        held: [[UInt8]: Int64], after ledger: [LedgerEntry], left: PathAmounts, most: PathAmounts, at now: Timestamp
    ) -> Bool {
        guard case .share(let percent) = limit, held.allSatisfy({ !$0.key.isEmpty && $0.value == 1 }) else {
            return false
        }
        let part = 1 - percent / 100
        guard Double(left.paths) >= Double(most.paths) * part, Double(left.bytes) >= Double(most.bytes) * part else {
            return false
        }
        var account = LossAccount(window: window, at: now)
        for entry in ledger { account.add(entry) }
        let before = account.loss.lost.paths
        for entry in Self.entries(held, in: [], at: now, through: 0) { account.add(entry) }
        let count = held.values.reduce(0, +)
        return (account.loss.lost.paths - before) * 10 <= count
    }

    /// What is held, as the ledger has what is gone. Of its bytes nobody knows any more.
    static func entries(
        _ held: [[UInt8]: Int64], in root: [UInt8], at now: Timestamp, through: Int64
    ) -> [LedgerEntry] {
        held.map {
            LedgerEntry(at: now, through: through, root: root, series: $0.key, gone: PathAmounts(paths: $0.value))
        }
    }
}
