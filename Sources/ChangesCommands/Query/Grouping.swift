import ArgumentParser
import ChangeStore
import LinuxKernel

/// What changes are counted by.
enum Grouping: String, ExpressibleByArgument, CaseIterable {
    case root, dir, hour, day, kind
}

/// How many changes, and the sum of their sizes.
struct Totals: Equatable {
    var count: Int64 = 0
    /// Bytes: what the SIZE column shows, files only.
    var bytes: Int64 = 0

    mutating func add(_ row: HistoryRow) {
        count += 1
        if row.type == .file { bytes = bytes.addingReportingOverflow(row.size).partialValue }
    }

    static func + (left: Totals, right: Totals) -> Totals {
        Totals(count: left.count + right.count, bytes: left.bytes &+ right.bytes)
    }
}

/// A group and what it comes to.
struct Group: Equatable {
    enum Key: Equatable {
        /// The moment at which an hour of local time begins.
        case hour(Timestamp)
        /// The moment at which a local day begins.
        case day(Timestamp)
        case kind(ChangeKind)
        /// A root; nil for what lies below none of today's.
        case root([UInt8]?)
        case directory([UInt8])
    }
    let key: Key
    let totals: Totals
}

/// Counts by something of which there are few.
protocol GroupCounter {
    mutating func add(_ row: HistoryRow)
    /// In the order in which they are shown.
    var groups: [Group] { get }
    /// Whether it looks at paths.
    var needsPaths: Bool { get }
}

/// Counts by the hours or the days of a time zone.
struct CalendarCounter: GroupCounter {
    private let zone: Zone
    private let isByDay: Bool
    private var totals: [Int64: Totals] = [:]
    /// Rows come in the order of time, more or less: most fall into the same hour as the one before.
    private var current: (seconds: Range<Int64>, key: Int64, totals: Totals)?

    init(zone: Zone, isByDay: Bool) {
        self.zone = zone
        self.isByDay = isByDay
    }

    let needsPaths = false

    mutating func add(_ row: HistoryRow) {
        let second = row.at.nanoseconds.floorDivided(by: 1_000_000_000)
        if let seconds = current?.seconds, seconds.contains(second) {
            current?.totals.add(row)
            return
        }
        store()
        let (key, seconds) = period(of: second)
        current = (seconds, key, Totals())
        current?.totals.add(row)
    }

    private mutating func store() {
        if let current { totals[current.key] = (totals[current.key] ?? Totals()) + current.totals }
        current = nil
    }

    /// When the hour or day of a moment began, and for which seconds that answer holds.
    private func period(of second: Int64) -> (key: Int64, valid: Range<Int64>) {
        // The offsets of time zones change on quarters of an hour (those since 1972, by the tz database).
        let quarter = second.floorDivided(by: 900) * 900
        let offset = Int64(zone.secondsAheadOfUTC(second))
        let valid = quarter..<quarter + 900
        guard isByDay else { return ((second + offset).floorDivided(by: 3_600) * 3_600 - offset, valid) }
        let day = CivilTime(clockSeconds: (second + offset).floorDivided(by: 86_400) * 86_400)
        return (zone.firstMoment(showing: day).nanoseconds.floorDivided(by: 1_000_000_000), valid)
    }

    var groups: [Group] {
        var copy = self
        copy.store()
        return copy.totals.sorted { $0.key < $1.key }.map { start, totals in
            let moment = Timestamp(seconds: start, nanoseconds: 0)
            return Group(key: isByDay ? .day(moment) : .hour(moment), totals: totals)
        }
    }
}

struct KindCounter: GroupCounter {
    private var totals = [Totals](repeating: Totals(), count: Int(ChangeKind.allCases.map(\.rawValue).max()!) + 1)

    let needsPaths = false
    mutating func add(_ row: HistoryRow) { totals[Int(row.kind.rawValue)].add(row) }

    var groups: [Group] {
        ChangeKind.allCases.map { Group(key: .kind($0), totals: totals[Int($0.rawValue)]) }
            .filter { $0.totals.count > 0 }
    }
}

/// Counts by today's roots.
struct RootCounter: GroupCounter {
    private let roots: [PathScope]
    private var totals: [Totals]
    private var directory: HistoryDirectory?
    /// The root that the last row's directory lies in.
    private var index: Int?

    init(roots: [[UInt8]]) {
        self.roots = roots.compactMap(PathScope.init)
        totals = [Totals](repeating: Totals(), count: self.roots.count + 1)
    }

    let needsPaths = true

    mutating func add(_ row: HistoryRow) {
        if row.directory !== directory {
            directory = row.directory
            index = roots.firstIndex { $0.contains(row.directory.path) }
        }
        totals[index ?? ownIndex(row)].add(row)
    }

    /// Of a root itself.
    private func ownIndex(_ row: HistoryRow) -> Int {
        roots.firstIndex { $0.relation(toDirectory: row.directory.path) == .parent && $0.isNamed(row.name) }
            ?? roots.count
    }

    var groups: [Group] {
        totals.indices.map { Group(key: .root($0 < roots.count ? roots[$0].path : nil), totals: totals[$0]) }
            .filter { $0.totals.count > 0 }
    }
}

extension Int64 {
    /// The quotient rounded down, for a positive divisor.
    func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
