import LinuxKernel
import SystemPackage

/// Asks the running tracker, for the commands.
public enum ControlClient {
    /// Sends one request and waits for its answer.
    ///
    /// - Parameters:
    ///   - stateDirectory: the tracker's, as bytes.
    ///   - timeout: for connecting and answering together; a `settle` is answered only when the work is done.
    ///   - waiting: called about once a second while there is no answer; false ends the waiting as if the time were over.
    /// - Throws: when there is no answer. An answer that says no is a `ControlReply.error`.
    public static func request(
        _ request: ControlRequest, stateDirectory: [UInt8], timeout: Duration, waiting: () -> Bool = { true }
    ) throws(ControlError) -> ControlReply {
        do throws(ControlError) {
            return try ask(request, socketIn: stateDirectory, stateDirectory, timeout, waiting)
        } catch {
            guard case .notPermitted = error else { throw error }
            // Those who may not enter the state directory reach the service by its other socket, if it is that one's.
            guard
                case .ok(let text)? = try? ask(.status, socketIn: ControlServer.runtimeDirectory, [], timeout, waiting),
                TrackerReport(parsing: text)?.stateDirectory == stateDirectory
            else { throw error }
            return try ask(request, socketIn: ControlServer.runtimeDirectory, stateDirectory, timeout, waiting)
        }
    }

    private static func ask(
        _ request: ControlRequest, socketIn directory: [UInt8], _ stateDirectory: [UInt8], _ timeout: Duration,
        _ waiting: () -> Bool
    ) throws(ControlError) -> ControlReply {
        let packet = request.packet
        guard packet.count <= ControlRequest.limit else { throw .requestTooLong }
        let start = ContinuousClock.now
        let answer: PacketConnection.Reception
        do throws(Errno) {
            let connection = try PacketConnection.connect(
                directory: directory, name: ControlServer.socketName, timeout: timeout)
            try connection.setTimeout(timeout - (ContinuousClock.now - start))
            // EPIPE: the tracker refused this client already, and said why.
            do throws(Errno) { try connection.send(packet) } catch { if error != .brokenPipe { throw error } }
            answer = try receive(on: connection, until: start + timeout, waiting)
        } catch {
            switch error {
            case .noSuchFileOrDirectory, .connectionRefused: throw .notRunning(stateDirectory: stateDirectory)
            case .permissionDenied: throw .notPermitted(stateDirectory: stateDirectory)
            case .wouldBlock: throw .timedOut(timeout)
            case .connectionReset: throw .closed
            default: throw .system(error, stateDirectory: stateDirectory)
            }
        }
        switch answer {
        case .packet(let bytes):
            guard let reply = ControlReply(parsing: bytes) else { throw .malformedReply }
            return reply
        case .tooLong: throw .malformedReply
        case .ended: throw .closed
        case .nothing: throw .timedOut(timeout)
        }
    }

    private static func receive(
        on connection: borrowing PacketConnection, until end: ContinuousClock.Instant, _ waiting: () -> Bool
    ) throws(Errno) -> PacketConnection.Reception {
        while true {
            let left = end - ContinuousClock.now
            try connection.setTimeout(min(left, .seconds(1)))
            let answer = try connection.receive(atMost: ControlReply.limit)
            if answer != .nothing || left <= .seconds(1) || !waiting() { return answer }
        }
    }
}
