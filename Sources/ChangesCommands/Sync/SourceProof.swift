import ChangeStore
import LinuxKernel
import Offsite
import TrackerDaemon

/// Evidence that the store has everything that happened in a source: what the tracker answers, and the roots as they are.
final class SourceProof {
    private let stateDirectory: [UInt8]
    private let scope: SourceScope
    private let stop: any StopSignal
    private let heartbeat: () -> Void

    /// Why the tracker's answer proves nothing; nil: it has recorded everything but `unsettled`.
    private(set) var silence: String? = "the tracker was not asked"
    private var unsettled: [UnsettledPlace] = []
    private var asked = MonotonicTime.now

    /// Milliseconds after which an answer says too little of what was there at the end of a run.
    private static let validity: Int64 = 60_000

    /// - Parameter heartbeat: called about once a second: it is the tracker that may take long, not this process.
    init(stateDirectory: [UInt8], scope: SourceScope, stop: any StopSignal, heartbeat: @escaping () -> Void) {
        self.stateDirectory = stateDirectory
        self.scope = scope
        self.stop = stop
        self.heartbeat = heartbeat
    }

    /// Has the tracker record what happened before. Without an answer the store is what there is, and that is remembered.
    ///
    /// - Throws: `SyncFailure.interrupted`.
    func settle() throws(SyncFailure) {
        asked = .now
        unsettled = []
        do throws(ControlError) {
            let barrier = SettleBarrier(stateDirectory: stateDirectory) { [heartbeat, stop] in
                heartbeat()
                return !stop.isRequested()
            }
            switch try barrier.wait() {
            case .ok(let text):
                silence = nil
                let lines = text.split(separator: "\n")
                unsettled = lines.compactMap { UnsettledPlace(parsing: $0) }
                if unsettled.count < lines.count { silence = "the tracker's answer cannot be understood: upgrade both" }
            case .error(let reason): silence = "the tracker cannot record what happened: \(reason)"
            }
        } catch {
            if stop.isRequested() { throw .interrupted }
            silence =
                if case .notRunning = error {
                    "the tracker does not run, so what changed since it stopped is not known: "
                        + "systemctl start nfs-change-tracker"
                } else {
                    "the tracker does not answer (\(error)): recent changes may be missing"
                }
        }
    }

    /// Reasons why a run that ends now proves nothing, each with its remedy where one is known.
    ///
    /// - Throws: `SyncFailure.interrupted`, `StoreError`.
    func doubts(in reader: StoreReader) throws -> [String] {
        // Without an answer nothing is proven, whatever a later one says.
        if silence == nil, MonotonicTime.now - asked > Self.validity * 1_000_000 { try settle() }
        return (silence.map { [$0] } ?? []) + (try places(in: reader)).map(\.text)
    }

    /// A root or mount point that cannot be copied or compared.
    struct Place {
        let path: [UInt8]
        let reason: String
        var text: String { "\(OctalEscapes.display(path)) \(reason)" }
    }

    /// What of the source is not where it should be, or is not tracked.
    ///
    /// - Throws: `StoreError`.
    func places(in reader: StoreReader) throws(StoreError) -> [Place] {
        let roots = try reader.rootIdentities.filter { scope.concerns($0.path) }
        guard !roots.isEmpty else {
            return [Place(path: scope.source, reason: "has no root that the tracker knows: correct roots in [watch]")]
        }
        var places = unsettled.filter { scope.concerns($0.path) }.map {
            Place(path: $0.path, reason: Self.words($0))
        }
        for path in RootCheck(roots).away where !places.contains(where: { $0.path == path }) {
            places.append(Place(path: path, reason: "is missing, or another file system or directory is there"))
        }
        return places.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    }

    private static func words(_ place: UnsettledPlace) -> String {
        switch place.reason {
        case .missing, .held:
            "\(place.reason.rawValue): mount or restore it, or run: changes accept \(OctalEscapes.display(place.path))"
        case .foreign, .unreadable: place.reason.rawValue
        }
    }
}
