import ChangeStore
import LinuxKernel
import Offsite

/// What is wrong with a consumer.
extension ConsumerLag {
    /// Each reason with its remedy where one is known; without the consumer's name.
    func reasons(now: Timestamp) -> [String] {
        var reasons: [String] = []
        // What is quarantined or held is told by itself.
        if let failure = lastFailure, !(destination?.isFailedByShortfallAlone ?? false) {
            reasons.append("its last run failed: \(failure.reason)")
        }
        if case .unreadable(let reason) = standing { reasons.append("it cannot be read: \(reason)") }
        if case .full(.historyRemoved) = standing {
            reasons.append("it fell so far behind that it needs a full scan")
        }
        return reasons + (destination?.reasons(self, now: now) ?? [])
    }

    /// `destination nas`
    var title: String { "\(destination == nil ? "consumer" : "destination") \(name)" }

    /// The consumers, and a destination of the configuration for each that has none yet.
    static func all(
        in reader: StoreReader, stateDirectory: [UInt8], destinations: [DestinationSettings]
    ) throws(StoreError) -> [ConsumerLag] {
        var all = try self.all(in: reader, stateDirectory: stateDirectory)
        for settings in destinations {
            let index = all.firstIndex { $0.name == settings.name }
            if index == nil { all.append(ConsumerLag(neverRun: settings.name)) }
            var state = all[index ?? all.count - 1].destination ?? DestinationState()
            state.maxAge = settings.maxAge
            state.worker = WorkerRecord(settings.name, in: stateDirectory)
            all[index ?? all.count - 1].destination = state
        }
        return all
    }

    /// Destinations of which nothing can be told, for there is no store.
    static func all(withoutStore destinations: [DestinationSettings], stateDirectory: [UInt8]) -> [ConsumerLag] {
        destinations.map { settings in
            var lag = ConsumerLag(neverRun: settings.name)
            let record = try? ConsumerRecord(name: settings.name, stateDirectory: stateDirectory)
            lag.destination = record.flatMap { DestinationState($0) } ?? DestinationState()
            lag.destination?.maxAge = settings.maxAge
            lag.destination?.worker = WorkerRecord(settings.name, in: stateDirectory)
            lag.lastSuccess = record?.lastSuccess
            lag.lastFailure = record?.lastFailure
            return lag
        }
    }
}
