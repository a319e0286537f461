import ChangeStore
import LinuxKernel

/// Which rows of the history are wanted, and how they are written. Rows stream: memory does not grow with them.
struct ChangeQuery {
    var since: Since?
    var under: PathScope?
    var format: ChangeFormat
    /// The zone of the times in tables.
    var zone: Zone = .local

    func run(over source: any ChangeSource, to output: inout Output) throws {
        try output.append { format.appendHeader(to: &$0) }
        try source.forEachChange(after: try start(in: source)) { record in
            guard isWanted(record) else { return true }
            try output.append { format.append(record, zone: zone, to: &$0) }
            return true
        }
        try output.flush()
    }

    private func start(in source: any ChangeSource) throws -> Int64 {
        switch since {
        case nil: 0
        case .sequence(let sequence)?: sequence
        case .moment(let moment)?: try source.firstSequence(notBefore: moment) - 1
        }
    }

    private func isWanted(_ record: ChangeRecord) -> Bool {
        if case .moment(let moment)? = since, record.at < moment { return false }
        return under?.contains(record.path) ?? true
    }
}
