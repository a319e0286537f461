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

    /// What whoever asked should know about the answer: that it is empty because the history is another one.
    func caution(about source: any ChangeSource) throws -> String? {
        guard case .sequence(let sequence)? = since else { return nil }
        let last = try source.lastSequence
        guard sequence > last else { return nil }
        return """
            seq:\(sequence) is ahead of this store, whose last change is seq:\(last): the store was replaced, or the \
            number is another store's; what came before is asked for without --since
            """
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
