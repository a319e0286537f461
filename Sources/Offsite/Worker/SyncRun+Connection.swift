import LinuxKernel

/// A connection that outlives the run.
extension SyncRun {
    /// Asks the destination for its marker and its room, or relies on what it said in the run before: each receiver
    /// compares the marker before it writes.
    ///
    /// - Returns: the marker.
    func askDestination() throws -> DestinationMarker? {
        if let answer = connection?.lastAnswer {
            askedAt = answer.time
            return answer.marker
        }
        try link.findPrograms()
        askedAt = .now
        link.contact.marker = try link.greet().marker
        return link.contact.marker
    }

    /// Keeps the connection for the next run. A run that sent nothing has not seen the destination: it is asked now.
    func keepConnection() throws {
        guard let connection else { return }
        if !link.contact.wasReached {
            askedAt = .now
            let found = try link.greet().marker
            try examine(found)
            link.contact.marker = found
        }
        guard let marker = link.contact.marker else { return connection.close() }
        connection.keep(link, .init(marker: marker, time: askedAt))
    }
}
