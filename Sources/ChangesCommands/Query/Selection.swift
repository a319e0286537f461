import ChangeStore
import LinuxKernel
import Tracking

/// Which rows of the history are wanted.
struct Selection {
    /// Rows from there on.
    var since: Boundary?
    /// Rows before that moment, or up to that sequence number.
    var until: Boundary?
    var under: PathScope?
    /// What the last component must match.
    var name: GlobMatcher?
    var kinds: Set<ChangeKind> = Set(ChangeKind.allCases)
    /// Nil for all.
    var types: Set<FileType>?
    var sizes: ClosedRange<Int64> = .min ... .max
    /// Every change of a path; else only the latest of those that are wanted.
    var isEveryChange = false
    var presence = Presence.any

    /// What has become of a path, as far as the store knows.
    enum Presence {
        case any
        /// Its last change was no deletion.
        case existing
        /// Its last change was its deletion.
        case gone

        /// Whether a path whose last row is of `kind` is meant. What is no longer tracked is neither.
        func admits(lastKind kind: ChangeKind) -> Bool {
            switch self {
            case .any: true
            case .existing: kind != .deleted && kind != .untracked
            case .gone: kind == .deleted
            }
        }
    }

    /// The sequence numbers of all rows that can be wanted: greater than `after`, up to `through`.
    func bounds(in reader: StoreReader) throws -> (after: Int64, through: Int64) {
        let last = try reader.lastSequence
        let after: Int64 =
            switch since {
            case nil: 0
            case .sequence(let sequence)?: sequence
            case .moment(let moment)?: try reader.firstSequence(notBefore: moment) - 1
            }
        let through: Int64 =
            switch until {
            case nil: last
            case .sequence(let sequence)?: min(sequence, last)
            case .moment(let moment)?: try reader.lastSequence(before: moment)
            }
        return (max(after, 0), through)
    }
}

/// Tells for row after row whether it is wanted; remembers what it found out about the last row's directory.
struct RowFilter {
    private let selection: Selection
    private let earliest: Timestamp
    private let latest: Timestamp
    private var directory: HistoryDirectory?
    private var relation = PathScope.Relation.inside

    init(_ selection: Selection) {
        self.selection = selection
        if case .moment(let moment)? = selection.since {
            earliest = moment
        } else {
            earliest = Timestamp(nanoseconds: .min)
        }
        if case .moment(let moment)? = selection.until {
            latest = Timestamp(nanoseconds: max(moment.nanoseconds, .min + 1) - 1)
        } else {
            latest = Timestamp(nanoseconds: .max)
        }
    }

    /// No row is refused but by its sequence number: nothing of it has to be looked at.
    var needsNoPath: Bool { selection.under == nil && selection.name == nil }

    mutating func isWanted(_ row: HistoryRow) -> Bool {
        guard row.at >= earliest, row.at <= latest, selection.kinds.contains(row.kind),
            selection.sizes.contains(row.size), selection.types?.contains(row.type) ?? true
        else { return false }
        if let under = selection.under {
            if row.directory !== directory {
                directory = row.directory
                relation = under.relation(toDirectory: row.directory.path)
            }
            switch relation {
            case .inside: break
            case .outside: return false
            case .parent: guard under.isNamed(row.name) else { return false }
            }
        }
        return selection.name?.matches(row.name) ?? true
    }
}
