public import LinuxKernel

/// One history row to be written: the path as its interned directory and a name.
public struct ChangeEvent {
    public var kind: ChangeKind
    /// No event told what happened, so the content may have changed whatever the kind says.
    public var isContentUncertain: Bool
    public var type: FileType
    public var size: Int64
    public var directory: PathID
    public var name: UnsafeRawBufferPointer
    public var from: (directory: PathID, name: UnsafeRawBufferPointer)?

    @inlinable
    public init(
        kind: ChangeKind, isContentUncertain: Bool = false, type: FileType, size: Int64, directory: PathID,
        name: UnsafeRawBufferPointer, from: (directory: PathID, name: UnsafeRawBufferPointer)? = nil
    ) {
        self.kind = kind
        self.isContentUncertain = isContentUncertain
        self.type = type
        self.size = size
        self.directory = directory
        self.name = name
        self.from = from
    }
}

extension Store {
    /// Interns a directory's path for the history rows of its entries. The caller keeps the number as long as the
    /// directory has that path; `RetentionResult.removedPaths` says when all numbers must be asked for anew.
    public func intern(path: [UInt8]) throws(StoreError) -> PathID {
        try statements.insertPath.bind(1, path).run()
        return PathID(rawValue: database.lastInsertedRow)
    }

    /// Appends a row to the history, in the open transaction.
    ///
    /// - Returns: its sequence number.
    @discardableResult
    public func append(_ event: ChangeEvent, at: Timestamp) throws(StoreError) -> Int64 {
        if sequences.isExhausted { try reserveWithinTransaction() }
        let sequence = sequences.take()
        let statement = statements.insertHistory
        statement.bind(1, sequence).bind(2, at.nanoseconds)
            .bind(3, event.kind.stored(isContentUncertain: event.isContentUncertain)).bind(
                4, Int64(event.type.rawValue)
            ).bind(5, event.directory.rawValue).bind(6, borrowing: event.name)
            .bind(7, event.size)
        if let from = event.from {
            statement.bind(8, from.directory.rawValue).bind(9, borrowing: from.name)
        } else {
            statement.bindNull(8).bindNull(9)
        }
        try statement.run()
        // 32: the row's integers, header and cell as measured on a history of short names.
        commit.add(
            sequence: sequence, at: at.nanoseconds, bytes: 32 + event.name.count + (event.from?.name.count ?? 0))
        return sequence
    }

    /// A reservation must be on the disk before its first number is used, so the open transaction is committed. Only
    /// one that used up what `begin` saw to, half a million rows, gets here.
    private func reserveWithinTransaction() throws(StoreError) {
        let wasOpen = !database.isAutocommit
        if wasOpen { try commitTransaction() }
        try sequences.reserve(database)
        if wasOpen { try begin() }
    }
}
