import ChangeStore
import LinuxKernel

/// Sums up what was lost from one root within a window, from what runs created and deleted. A new generation balances an
/// older one of its series that goes: at once, or within two windows; or pays back one that went within the last window.
struct LossAccount {
    private struct Post {
        let at: Timestamp
        var amounts: PathAmounts
    }

    private struct Series {
        /// New generations that balance nothing yet.
        var credits: [Post] = []
        var losses: [Post] = []
    }

    private let window: Int64
    private let now: Timestamp
    private var series: [[UInt8]: Series] = [:]
    private var moves: [Post] = []
    private var deletions: [Post] = []
    private var births: [Post] = []

    /// Entries of so many windows are to be added: a loss counts in the last one, and what balances it may have come two
    /// windows before.
    static let windows: Int64 = 4

    /// - Parameter window: nanoseconds.
    init(window: Int64, at now: Timestamp) {
        self.window = window
        self.now = now
    }

    /// Adds what a later run did.
    mutating func add(_ entry: LedgerEntry) {
        let at = entry.at
        if entry.moved > 0 { moves.append(Post(at: at, amounts: PathAmounts(paths: entry.moved))) }
        if !entry.gone.isNone { deletions.append(Post(at: at, amounts: entry.gone)) }
        var born = entry.born
        if entry.origin.isEmpty {
            if !born.isNone { births.append(Post(at: at, amounts: born)) }
        } else {
            // Generations that were renamed balance what they did under their old names.
            var wanted = born
            expire(&series[entry.origin, default: Series()], at)
            let indices = series[entry.origin]?.credits.indices ?? 0..<0
            for index in indices { Self.settle(&series[entry.origin]!.credits[index].amounts, &wanted) }
            born = PathAmounts(paths: born.paths - wanted.paths, bytes: born.bytes - wanted.bytes)
        }
        var account = series[entry.series] ?? Series()
        defer { series[entry.series] = account }
        expire(&account, at)
        var gone = entry.gone
        guard !entry.series.isEmpty else {
            lose(gone, at, &account)
            return
        }
        for index in account.losses.indices.reversed() { Self.settle(&account.losses[index].amounts, &born) }
        if !born.isNone { account.credits.append(Post(at: at, amounts: born)) }
        for index in account.credits.indices { Self.settle(&account.credits[index].amounts, &gone) }
        lose(gone, at, &account)
        account.losses.removeAll { $0.amounts.isNone }
        account.credits.removeAll { $0.amounts.isNone }
    }

    private func lose(_ amounts: PathAmounts, _ at: Timestamp, _ account: inout Series) {
        // What balanced an older one is not known any more.
        guard !amounts.isNone, at > now.advanced(by: -2 * window) else { return }
        account.losses.append(Post(at: at, amounts: amounts))
    }

    private func expire(_ account: inout Series, _ at: Timestamp) {
        account.credits.removeAll { $0.at <= at.advanced(by: -2 * window) }
        account.losses.removeAll { $0.at <= at.advanced(by: -window) }
    }

    private static func settle(_ left: inout PathAmounts, _ right: inout PathAmounts) {
        let paths = min(left.paths, right.paths)
        let bytes = min(left.bytes, right.bytes)
        left = left + PathAmounts(paths: -paths, bytes: -bytes)
        right = right + PathAmounts(paths: -paths, bytes: -bytes)
    }

    /// What was lost within the window that ends now.
    var loss: RootLoss {
        func sum(_ posts: [Post]) -> PathAmounts {
            posts.reduce(.none) { $1.at > now.advanced(by: -window) ? $0 + $1.amounts : $0 }
        }
        return RootLoss(
            lost: series.values.reduce(.none) { $0 + sum($1.losses) }, moved: sum(moves).paths,
            deleted: sum(deletions).paths, created: sum(births).paths)
    }
}

/// What is missing from a root.
struct RootLoss: Equatable {
    /// What no new generation balances.
    var lost = PathAmounts.none
    /// Paths that are in another root now.
    var moved: Int64 = 0
    /// Paths that were deleted, balanced or not.
    var deleted: Int64 = 0
    /// Paths of new generations.
    var created: Int64 = 0
    /// Of some deletions nobody knows the bytes.
    var isUnmeasured = false

    static func + (left: RootLoss, right: RootLoss) -> RootLoss {
        RootLoss(
            lost: left.lost + right.lost, moved: left.moved + right.moved, deleted: left.deleted + right.deleted,
            created: left.created + right.created, isUnmeasured: left.isUnmeasured || right.isUnmeasured)
    }
}

/// Decides when so much is gone that somebody has to allow it (`max_delete`).
///
/// 1. Deletions of the last `delete_window` are held where they and those that are pending exceed `max_delete` of a root
///    or of everything, by paths or by bytes.
/// 2. A new generation (a name that differs from an older one beside it in its numbers only) balances one that goes, as
///    long as half is left of what the root had a window ago.
/// 3. In a root, fewer than ten paths are held only where they are half of it.
struct DeletionRule {
    let limit: Amount

    private static let few: Int64 = 10

    /// What in a root is too much; nil: nothing.
    enum Excess: Equatable {
        case paths(Int64, of: Int64)
        case bytes(Int64, of: Int64)

        /// `60 of 160 paths`, `45 % of the bytes`
        var text: String {
            switch self {
            case .paths(let lost, let whole): "\(lost) of \(counted(whole, "path"))"
            case .bytes(let lost, let whole):
                "\(Int64((Double(lost) / Double(max(1, whole)) * 100).rounded())) % of the bytes"
            }
        }
    }

    /// - Parameters:
    ///   - left: what there still is. If more is no excess, less may be one: part of it may be given, to save a count.
    ///   - isRoot: of one root, not of everything.
    func excess(of loss: RootLoss, left: PathAmounts, isRoot: Bool) -> Excess? {
        if case .share(let percent) = limit, percent >= 100 { return nil }
        // However new generations balance it.
        let before = left.paths + loss.deleted + loss.moved - loss.created
        let isEmptied = isRoot && loss.deleted > 0 && (left.paths == 0 || isLess(left.paths, ofHalf: before))
        let lost = isEmptied ? max(loss.lost.paths, before - left.paths - loss.moved, 1) : loss.lost.paths
        let paths = isRoot ? lost + loss.moved : loss.lost.paths
        let whole = left + PathAmounts(paths: paths, bytes: loss.lost.bytes)
        guard paths > 0 || loss.lost.bytes > 0 else { return nil }
        var (isPaths, isBytes): (Bool, Bool)
        switch limit {
        case .share(let percent):
            isPaths = isEmptied || Double(paths) > Double(whole.paths) * percent / 100
            isBytes = Double(loss.lost.bytes) > Double(whole.bytes) * percent / 100
        case .count(let most):
            // Hardly anything is left.
            isPaths = isRoot ? left.paths * 10 <= whole.paths : paths > most
            isBytes = false
        }
        if isRoot, !isEmptied, paths < Self.few {
            let isWorthMuch = loss.isUnmeasured || loss.lost.bytes * 20 >= whole.bytes || loss.moved > 0
            isPaths = isPaths && paths * 2 >= whole.paths && isWorthMuch
            isBytes = isBytes && loss.lost.bytes * 2 >= whole.bytes
        }
        if isPaths { return .paths(paths, of: whole.paths) }
        return isBytes ? .bytes(loss.lost.bytes, of: whole.bytes) : nil
    }

    /// Less is left than half of what there was, or than `max_delete` leaves where that is more than half.
    private func isLess(_ left: Int64, ofHalf before: Int64) -> Bool {
        guard case .share(let percent) = limit else { return left * 10 <= before }
        return Double(left) < Double(before) * (1 - max(percent, 50) / 100)
    }
}
