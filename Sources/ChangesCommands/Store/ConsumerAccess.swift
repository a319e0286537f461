import ChangeStore
import LinuxKernel
import SystemPackage

/// Takes a consumer's lock: one run at a time.
///
/// - Throws: `CommandFailure`: `temporary` when it runs already.
func lockConsumer(_ name: String, in directory: [UInt8]) throws -> FileLock {
    do {
        let path = try Consumer.lockPath(name: name, stateDirectory: directory)
        let place = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) } ?? path
        // Only the tracker makes the directory above it.
        guard FileSystemLook.exists(directory) else { throw noStore(in: directory) }
        try? FileSystemLook.makeDirectory(place)
        return try FileLock(path: path)
    } catch let error as CommandFailure {
        throw error
    } catch let error as StoreError {
        throw CommandFailure(.usage, error.message)
    } catch let error as Errno where error == .wouldBlock {
        throw CommandFailure(
            .temporary,
            "\(name) runs already, or a command that it started still does; to stop a worker: "
                + "systemctl stop nfs-offsite-sync@\(name)")
    } catch {
        let place = TerminalText.of(StoreFiles(directory: directory).consumers)
        throw CommandFailure(
            .inputOutput,
            "the consumer's lock in \(place) cannot be taken (\(error)): run this as root or as the tracker's user")
    }
}

/// What a consumer's file says.
///
/// - Throws: `CommandFailure`: `unavailable` when there is no such consumer.
func consumerRecord(_ name: String, in directory: [UInt8]) throws -> ConsumerRecord {
    do throws(StoreError) {
        return try ConsumerRecord(name: name, stateDirectory: directory)
    } catch {
        switch error.reason {
        case .notFound: throw CommandFailure(.unavailable, "there is no consumer \(name); see `changes consumer list`")
        case .other: throw CommandFailure(.usage, error.message)
        default: throw CommandFailure(.inputOutput, "\(error)")
        }
    }
}

func openConsumer(_ name: String, in directory: [UInt8]) throws -> Consumer {
    do throws(StoreError) {
        return try Consumer(name: name, stateDirectory: directory)
    } catch {
        throw CommandFailure(.inputOutput, "the consumer's file cannot be opened: \(error)")
    }
}

/// What a person is told of a store's error.
func failure(of error: StoreError, in directory: [UInt8]) -> CommandFailure {
    if error.reason == .notFound { return noStore(in: directory) }
    if error.reason == .notPermitted { return CommandFailure(.permission, error.description) }
    if case .newerSchema = error.reason { return CommandFailure(.configuration, error.description) }
    return CommandFailure(.inputOutput, error.description)
}
