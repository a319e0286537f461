import LinuxKernel
import SystemPackage

/// A short look at a destination that runs on another host: logs in as the worker does and reads the marker. Nothing is
/// written there, nor into the state directory here.
public enum DestinationProbe {
    public enum Answer: Equatable, Sendable {
        /// It answers; the marker, where there is one.
        case marker(DestinationMarker?)
        /// Nothing came in time.
        case silence
        case failure(SyncFailure)
    }

    /// - Parameters:
    ///   - stateDirectory: where the known hosts are when the settings name no file.
    ///   - seconds: how long to wait at most; ending what waits may take four more.
    public static func ask(_ destination: DestinationSettings, stateDirectory: [UInt8], seconds: Int) -> Answer {
        var settings = destination
        settings.ssh.knownHosts = HostKeys.file(of: destination, stateDirectory: stateDirectory)
        do {
            let scratch = try FileSystemLook.makeTemporaryDirectory(prefix: Array("nfs-changes-probe".utf8))
            defer { try? FileSystemLook.removeTree(scratch) }
            let link = try DestinationLink(
                settings, stateDirectory: scratch, process: ProgramRun(stop: Deadline(seconds: seconds)))
            return .marker(try link.readMarker())
        } catch let failure as SyncFailure {
            return failure == .interrupted ? .silence : .failure(failure)
        } catch let code as Errno {
            return .failure(.system("making a temporary directory", code))
        } catch {
            return .silence
        }
    }
}
