import ChangeStore
import LinuxKernel
import SystemPackage

/// Gives a command one batch, and moves the consumer's cursor if the command says that it dealt with it.
struct ConsumerRun {
    let stateDirectory: [UInt8]
    let consumer: Consumer
    let wishes: ConsumerWishes
    let text: PathText
    let command: [[UInt8]]
    let lock: CInt
    let interruptions: Interruptions
    let tell: (String) -> Void

    enum Result: Equatable {
        /// There was nothing to do.
        case nothing
        /// The cursor moved. With nothing for this consumer in the batch the command did not even run. `isMore`: there
        /// is more, which was not wanted at once.
        case done(ran: Bool, isMore: Bool)
        /// The command failed: its exit status, or 128 and the signal's number.
        case failed(status: CInt)
        /// This process was told to end.
        case interrupted
    }

    /// - Throws: `StoreError`, `CommandFailure`; the cursor has not moved then.
    func run() throws -> Result {
        // Whatever a cursor in a file without a name says is lost.
        guard !consumer.hasMoved else {
            throw CommandFailure(.inputOutput, "its file was removed or replaced while it ran: start it again")
        }
        let reader = try StoreReader(stateDirectory: stateDirectory)
        let batches = BatchReader(stateDirectory: stateDirectory, reader: reader, wishes: wishes)
        let batch = try batches.next(for: consumer)
        if batch == .nothing { return .nothing }
        let uuid = try reader.uuid
        if case .everything(let pass, let reason) = batch {
            guard try reader.isBaselineDone else {
                throw CommandFailure(
                    .temporary, "the tracker has not gone through everything yet: try again when it is ready")
            }
            tell(Self.explanation(reason, isContinued: !pass.path.isEmpty))
            // From here on what changes meanwhile is kept for afterwards.
            try consumer.setFullPass(pass, store: uuid)
        }
        let fed = try feed(batch, batches, uuid)
        if interruptions.received != nil { return .interrupted }
        guard fed.status == 0 else { return .failed(status: fed.status) }
        return try commit(batch, fed.outcome, reader, uuid, ran: fed.hasRun)
    }

    /// Hands the batch to the command.
    private func feed(
        _ batch: Batch, _ batches: BatchReader, _ uuid: String
    ) throws -> (status: CInt, hasRun: Bool, outcome: BatchReader.Outcome) {
        var lines: [UInt8] = []
        var running: FedCommand?
        let end = text.isRaw ? 0 : UInt8(ascii: "\n")
        let write = { () throws -> Bool in
            if lines.isEmpty { return interruptions.received == nil }
            let command = try running ?? start(batch, uuid)
            running = command
            defer { lines.removeAll(keepingCapacity: true) }
            return try command.write(lines, end: end)
        }
        do {
            let outcome = try batches.handOut(
                batch, { text.append($0, to: &lines) },
                between: {
                    lines.count < Self.pieceSize ? true : try write()
                })
            _ = try write()
            guard let running else { return (0, false, outcome) }
            let ended = try running.finish()
            if running.leftInput, ended == .exited(0) {
                tell("the command exited with 0 without reading all of its input: that counts as done")
            }
            return (ended.status, true, outcome)
        } catch {
            running?.abandon()
            throw error
        }
    }

    /// Bytes that are collected before they are written.
    private static let pieceSize = 32_768

    private func start(_ batch: Batch, _ uuid: String) throws -> FedCommand {
        do throws(Errno) {
            return try FedCommand(command, environment: environment(batch, uuid), holding: lock, interruptions)
        } catch {
            let isMissing = error == .noSuchFileOrDirectory
            let words = "\(TerminalText.of(command[0])): \(isMissing ? "no such command" : "\(error)")"
            try? consumer.noteFailure(words, at: .now)
            throw CommandFailure(.init(rawValue: isMissing ? 127 : 126), words)
        }
    }

    private func environment(_ batch: Batch, _ uuid: String) -> [(name: [UInt8], value: [UInt8])] {
        var variables = ["CHANGES_CONSUMER": consumer.name, "CHANGES_STORE": uuid, "CHANGES_FULL": ""]
        switch batch {
        case .changes(let after, let through, _):
            variables["CHANGES_AFTER"] = "\(after)"
            variables["CHANGES_THROUGH"] = "\(through)"
        case .everything(let pass, let reason):
            variables["CHANGES_FULL"] = reason.rawValue
            variables["CHANGES_AFTER"] = "0"
            variables["CHANGES_THROUGH"] = "\(pass.through)"
        case .nothing: break
        }
        return variables.map { (Array($0.key.utf8), Array($0.value.utf8)) }
    }

    private func commit(
        _ batch: Batch, _ outcome: BatchReader.Outcome, _ reader: StoreReader, _ uuid: String, ran: Bool
    ) throws -> Result {
        var isMore = false
        switch batch {
        case .nothing: return .nothing
        case .changes(_, let through, let isCut):
            // History that was to be handed out may have been removed while it was.
            guard case .at = try consumer.standing(in: reader) else {
                tell("history was removed while it was handed out; everything is handed out next")
                return .done(ran: ran, isMore: false)
            }
            try consumer.advance(to: through, store: uuid)
            isMore = isCut
        case .everything(let pass, _):
            if let rest = outcome.rest {
                try consumer.setFullPass(rest, store: uuid)
                isMore = true
            } else {
                try consumer.advance(to: pass.through, store: uuid)
            }
        }
        try consumer.noteSuccess(at: .now)
        return .done(ran: ran, isMore: isMore)
    }

    private static func explanation(_ reason: Consumer.Standing.Reason, isContinued: Bool) -> String {
        let cause =
            switch reason {
            case .first: "it never ran to its end before"
            case .storeReplaced: "the store is another one than it knew"
            case .historyRemoved: "history that it had not seen was removed"
            case .historyLost: "a power loss took back history that it had seen"
            case .requested: "that was asked for"
            }
        return isContinued
            ? "goes on handing out everything (\(cause))" : "everything that exists is handed out: \(cause)"
    }
}

extension ChildProcess.Outcome {
    /// As a shell tells it.
    var status: CInt {
        switch self {
        case .exited(let status): status
        case .signalled(let number): 128 + number
        }
    }

    var words: String {
        switch self {
        case .exited(let status): "exited with \(status)"
        case .signalled(let number): "was ended by signal \(number)"
        }
    }
}
