"""The rules: one function for each verb on a button.

An action takes keywords only, `actor` first, never a request. It opens one transaction that locks its
organization's row and asks permission (`access.locked`), then writes rows, an event, and the deliveries
for whatever must leave. It never touches the network.
"""
